import { byteLevelBpe } from "@qkv/tokenizer";
import { byteNgramModel } from "@qkv/tokenizer/patching";
import { countWords } from "@qkv/tokenizer/training";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Io } from "../io.js";
import { run } from "../run.js";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "qkv-train-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);
const text = "the cat sat on the mat, then the rat sat there.\n".repeat(20);
type File = {
  added_tokens: { id: number; content: string; special: boolean }[];
  model: { vocab: Record<string, number>; merges: [string, string][] };
};
const readTrained = (name = "tokenizer.json") => JSON.parse(readFileSync(path(name), "utf8")) as File;

async function train(argv: readonly string[], io: Partial<Io> & { isTTY?: boolean } = {}) {
  let [out, err] = ["", ""];
  const code = await run(["train-tokenizer", ...argv], {
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text), isTTY: io.isTTY },
    color: false,
    ...io,
  });
  return { code, out, err };
}

async function* stream(...chunks: (string | Uint8Array)[]) {
  yield* chunks;
}

test("text files are trained to a tokenizer.json", async () => {
  writeFileSync(path("a.txt"), text);
  writeFileSync(path("b.txt"), text);
  const argv = [path("a.txt"), path("b.txt"), "--vocab-size", "262", "--special-token", "<|end|>", "--out"];
  const { code, out, err } = await train([...argv, path("tokenizer.json")]);
  expect([code, out]).toEqual([0, ""]);
  expect(err).toMatch(/^262 tokens, from 1,920 characters, in \d+\.\d\d s\n$/);
  const { added_tokens, model } = readTrained();
  expect(added_tokens).toMatchObject([{ id: 0, content: "<|end|>", special: true }]);
  expect(model.merges.map((pair) => pair.join(" "))).toEqual(["t h", "th e", "a t", "Ġ the", "s at"]);
  const tokenizer = byteLevelBpe(model, { specialTokens: { "<|end|>": 0 } });
  expect(tokenizer.decode(tokenizer.encode("the rat, théré"))).toBe("the rat, théré");
});

test("standard input, split anywhere, gives the same tokenizer as one file", async () => {
  const bytes = new TextEncoder().encode(text);
  const argv = ["--vocab-size", "270", "--out"];
  await train([...argv, path("whole.json")], { in: stream(bytes) });
  await train([...argv, path("pieces.json")], { in: stream(bytes.slice(0, 101), bytes.slice(101)) });
  expect(readTrained("pieces.json")).toEqual(readTrained("whole.json"));
});

test("--json prints only one object to standard output", async () => {
  const { out } = await train(["--vocab-size", "258", "--out", path("t.json"), "--json"], {
    in: stream(text),
  });
  expect(JSON.parse(out)).toEqual({
    out: path("t.json"),
    vocabSize: 258,
    merges: 2,
    characters: text.length,
    words: countWords(text).size,
    timings: { trainMs: expect.any(Number) as number },
  });
});

test("a text too small for the vocabulary size is reported", async () => {
  const argv = ["--vocab-size", "1000", "--min-count", "2", "--out", path("t.json")];
  expect((await train(argv, { in: stream("ab ab") })).err).toMatch(
    /^257 tokens, since no pair is left that occurs 2 times, from 5 characters, /,
  );
});

test("--sample trains on random lines, which --seed determines", async () => {
  const lines = Array.from(
    { length: 200 },
    (_, i) => `${String.fromCharCode(97 + (i % 26)).repeat(5)}\n`,
  ).join("");
  const characters = async (seed: string) => {
    const argv = [
      "--vocab-size",
      "256",
      "--sample",
      "0.5",
      "--seed",
      seed,
      "--out",
      path("t.json"),
      "--json",
    ];
    return (JSON.parse((await train(argv, { in: stream(lines) })).out) as { characters: number }).characters;
  };
  const first = await characters("1");
  expect(first % 6).toBe(0);
  expect(Math.abs(first - lines.length / 2)).toBeLessThan(lines.length / 5);
  expect(await characters("1")).toBe(first);
});

test("--bytes trains a byte model, as a file or as a module", async () => {
  const argv = ["--bytes", "--order", "3", "--out"];
  const { err } = await train([...argv, path("bytes.bin")], { in: stream(text) });
  expect(err).toMatch(/^A model of \d+ bytes from 960 in /);
  const file = Uint8Array.from(readFileSync(path("bytes.bin")));
  expect(byteNgramModel(file).context).toBe(3);
  await train([...argv, path("bytes.ts")], { in: stream(text) });
  expect(readFileSync(path("bytes.ts"), "utf8")).toBe(
    `export const data =\n  "${Buffer.from(file).toString("base64")}";\n`,
  );
});

test("a progress bar on a terminal is removed at the end", async () => {
  const argv = ["--vocab-size", "260", "--out", path("t.json")];
  const { err } = await train(argv, { in: stream(text), isTTY: true });
  expect(err).toContain("[########################] 260 of 260 tokens");
  expect(err.split("\r\u001B[2K").at(-1)).toMatch(/^260 tokens, [^\r]*$/);
});

test("an error names the problem and the fix, and nothing is left behind", async () => {
  const cases: [string[], string][] = [
    [
      ["--out", path("t.json")],
      "qkv: `--vocab-size` is undefined, expected the number of tokens of the vocabulary.\nFix: add --vocab-size 8192, or --bytes for a model of bytes.",
    ],
    [
      ["--vocab-size", "255", "--out", path("t.json")],
      "`--vocab-size` is 255, expected an integer number of tokens, 256 or more",
    ],
    [
      [path("no.txt"), "--vocab-size", "300", "--out", path("t.json")],
      "a file that can be read, and this one does not exist",
    ],
    [
      [folder, "--vocab-size", "300", "--out", path("t.json")],
      "a file that can be read, and this one is a folder",
    ],
    [["--vocab-size", "300", "--out", path("no/t.json")], "qkv: `--out` is"],
    [
      ["--vocab-size", "300", "--sample", "2", "--out", path("t.json")],
      "`--sample` is 2, expected a number above 0, at most 1",
    ],
  ];
  for (const [argv, message] of cases) {
    const { code, err } = await train(argv, { in: stream(text) });
    expect(err).toContain(message);
    expect(code).toBe(1);
  }
  expect(readdirSync(folder)).toEqual([]);
});

test("Ctrl-C while reading gives exit code 130, prints nothing and writes no file", async () => {
  const stop = new AbortController();
  async function* endless() {
    for (;;) {
      yield text;
      stop.abort();
    }
  }
  const argv = ["--vocab-size", "300", "--out", path("t.json")];
  const { code, err } = await train(argv, { in: endless(), signal: stop.signal });
  expect([code, err]).toEqual([130, ""]);
  expect(readdirSync(folder)).toEqual([]);
});
