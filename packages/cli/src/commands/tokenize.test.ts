import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../run.js";

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "qkv-tokenize-"));
  const template = [{ SpecialToken: { id: "<s>" } }, { Sequence: { id: "A" } }];
  const json = {
    added_tokens: [{ id: 5, content: "<s>", special: true, normalized: false }],
    model: { type: "BPE", vocab: { h: 0, i: 1, "!": 2, hi: 3, "\n": 4 }, merges: ["h i"] },
    post_processor: {
      type: "TemplateProcessing",
      single: template,
      pair: template,
      special_tokens: { "<s>": { ids: [5] } },
    },
    decoder: { type: "Fuse" },
  };
  mkdirSync(path("model"));
  writeFileSync(path("model/tokenizer.json"), JSON.stringify(json));
  writeFileSync(path("model/weights.safetensors"), "");
  mkdirSync(path("gpt2"));
  writeFileSync(path("gpt2/vocab.json"), '{"h": 0, "i": 1, "hi": 2}');
  writeFileSync(path("gpt2/merges.txt"), "#version: 0.2\nh i\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

async function tokenize(argv: readonly string[], ...input: (string | Uint8Array)[]) {
  let [out, err] = ["", ""];
  const code = await run(["tokenize", ...argv], {
    in: (async function* () {
      yield* input;
    })(),
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    color: false,
  });
  return { code, out, err };
}

test("prints the ids of standard input, with a tokenizer file or folder; a character split between chunks is decoded as one", async () => {
  const expected = { code: 0, out: "3 2 5\n", err: "" };
  expect(await tokenize(["--tokenizer", path("model/tokenizer.json")], "hi", "!<s>")).toEqual(expected);
  expect(await tokenize(["--tokenizer", path("model")], "hi!<s>")).toEqual(expected);
  expect((await tokenize(["--tokenizer", path("model"), "--template"], "hi")).out).toBe("5 3\n");
  expect((await tokenize(["--tokenizer", path("gpt2/vocab.json")], "hi")).out).toBe("2\n");
  expect((await tokenize(["--tokenizer", path("gpt2")], new TextEncoder().encode("hi"))).out).toBe("2\n");
});

test("--jsonl prints a JSON list for each line", async () => {
  const { out } = await tokenize(["--tokenizer", path("model"), "--jsonl"], '"hi\\n"\n\n"!"\n');
  expect(out).toBe("[3,4]\n[2]\n");
});

test("--json prints one object with offsets, or writes it to a file and prints the ids", async () => {
  const { out } = await tokenize(["--tokenizer", path("model"), "--json", "--trace"], "hi!");
  expect(JSON.parse(out)).toMatchObject({
    vocabSize: 6,
    count: 2,
    ids: [3, 2],
    tokens: ["hi", "!"],
    offsets: [
      [0, 2],
      [2, 3],
    ],
    trace: { ids: [3, 2] },
  });
  const both = await tokenize(
    ["--tokenizer", path("model"), "--jsonl", "--json", path("out.json")],
    '"h"\n"hi"',
  );
  expect(both.out).toBe("[0]\n[3]\n");
  expect(JSON.parse(readFileSync(path("out.json"), "utf8"))).toMatchObject({
    count: 2,
    lines: [{ ids: [0] }, { ids: [3] }],
  });
});

test("--trace prints each stage, merge by merge", async () => {
  const { out } = await tokenize(["--tokenizer", path("model"), "--trace"], "hi<s>");
  expect(out.split("\n")).toEqual([
    'text        "hi<s>"',
    'normalized  "hi"',
    'piece       "hi"',
    "            h i",
    "            hi",
    "ids         3",
    'token       "<s>" 5',
    "all ids     3 5",
    "",
  ]);
});

test("an error names the problem and the fix", async () => {
  const nowhere = await tokenize(["--tokenizer", path("nowhere")], "");
  expect(nowhere).toMatchObject({ code: 1, out: "" });
  expect(nowhere.err).toMatch(
    /^qkv: `--tokenizer` is ".*", expected a tokenizer's file or folder that can be read, and this one does not exist\.\nFix: check/,
  );
  expect((await tokenize(["--tokenizer", folder], "")).err).toMatch(
    /^qkv tokenize: `--tokenizer` is ".*", expected a folder with a tokenizer: .*\nFix: it holds .*model/,
  );
  expect((await tokenize(["--tokenizer", path("model"), "--jsonl"], '"a"\nb')).err).toMatch(
    /^qkv: `standard input, line 2` is "b", expected a JSON string/,
  );
});
