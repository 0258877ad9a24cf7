/// <reference types="node" />
import { isQkvError } from "@qkv/core";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadTokenizer } from "./load-tokenizer.js";
import { pad } from "../pad.js";

const utf8 = (text: string) => new TextEncoder().encode(text);
const base64 = (bytes: number[]) => btoa(String.fromCharCode(...bytes));

/** Ranks of all bytes, and of "hi". */
const ranks = [...Array.from({ length: 256 }, (_, byte) => [byte]), [104, 105]].map(base64);
const tiktoken = utf8(ranks.map((token, rank) => `${token} ${rank}\n`).join(""));
const vocab = JSON.stringify({ h: 0, i: 1, Ġ: 2, hi: 3, "<|endoftext|>": 4 });
const json = JSON.stringify({
  model: { type: "WordLevel", vocab: { hi: 0, "[UNK]": 1 }, unk_token: "[UNK]" },
  pre_tokenizer: { type: "Whitespace" },
});
const words = utf8("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhi\n##gh\n");

test.each<[string, Record<string, Uint8Array>, text: string, ids: number[]]>([
  [
    "tokenizer.json, whatever lies beside it",
    { "tokenizer.json": utf8(json), "vocab.txt": words },
    "hi ho",
    [0, 1],
  ],
  ["a tokenizer.json under another name", { "my-tokenizer.json": utf8(json) }, "hi", [0]],
  ["one JSON file of any name", { "words.json": utf8(json) }, "hi", [0]],
  [
    "GPT-2's two files",
    { "vocab.json": utf8(vocab), "merges.txt": utf8("#version: 0.2\nh i\n") },
    "hi h",
    [3, 2, 0],
  ],
  [
    "GPT-2's two files as they were first called",
    { "encoder.json": utf8(vocab), "vocab.bpe": utf8("h i\n") },
    "hi",
    [3],
  ],
  ["tiktoken ranks, with the split of the file name", { "cl100k_base.tiktoken": tiktoken }, "hi!", [256, 33]],
  ["tiktoken's ranks of o200k", { "o200k_base.tiktoken": tiktoken }, "hi", [256]],
  ["tiktoken's ranks of r50k", { "r50k_base.tiktoken": tiktoken }, "hi", [256]],
  [
    "tiktoken ranks as a module",
    {
      "ranks.js": utf8(
        `module.exports = ${JSON.stringify({
          pat_str: "\\S+|\\s+",
          special_tokens: { "<|end|>": 300 },
          bpe_ranks: `! 0 ${ranks.join(" ")}`,
        })};`,
      ),
    },
    "hi",
    [256],
  ],
  ["BERT's word pieces", { "vocab.txt": words }, "high", [2, 5, 6, 3]],
])("reads %s", (_what, files, text, ids) => {
  expect(Array.from(loadTokenizer(files).encode(text))).toEqual(ids);
});

test("files without a tokenizer are refused, and the error lists the expected file names", () => {
  expect(() => loadTokenizer({ "README.md": utf8("hi"), "config.json": utf8("{}") })).toThrow(
    /loadTokenizer: `source` is .*README\.md.*expected a tokenizer's files: tokenizer\.json.*\nFix: give the folder/s,
  );
});

test("tiktoken ranks whose file name does not identify the split are refused, with the fix", () => {
  expect(() => loadTokenizer({ "mine.tiktoken": tiktoken })).toThrow(
    /mine\.tiktoken.*expected a name that tells the split.*\nFix: rename the file/s,
  );
});

test("sequences are padded on the left or right, to a minimum length and to a multiple", () => {
  expect(pad([[5, 6, 7], [8]], { padId: 0 })).toEqual({
    ids: [
      [5, 6, 7],
      [8, 0, 0],
    ],
    attentionMask: [
      [1, 1, 1],
      [1, 0, 0],
    ],
  });
  expect(pad([[5, 6, 7], [8]], { padId: 9, side: "left", multipleOf: 4 }).ids).toEqual([
    [9, 5, 6, 7],
    [9, 9, 9, 8],
  ]);
  expect(pad([[5]], { padId: 0, length: 3 }).attentionMask).toEqual([[1, 0, 0]]);
});

test("the table of files in the README has every function that loadTokenizer calls, with files that it recognizes", () => {
  const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");
  const rows = [...read("../../README.md").matchAll(/^\| `(\w*[tT]okenizer\w*)\(.*?\)` \| (.*) \|$/gm)].map(
    ([, fn, cell]) => ({
      fn: fn!,
      alternatives: cell!.split(/,|;| or /).flatMap((part) => {
        const names = [...part.matchAll(/`([\w.]+\.\w+)`/g)].map(([, name]) => name!);
        return names.length > 0 ? [names] : [];
      }),
    }),
  );
  // Marian's own function is not exported.
  const called = [...read("load-tokenizer.ts").matchAll(/return (\w+Tokenizer|tokenizerFromJson)\(/g)]
    .map(([, fn]) => (fn === "marianTokenizer" ? "loadTokenizer" : fn!))
    .filter((fn, i, all) => all.indexOf(fn) === i);
  expect(rows.map(({ fn }) => fn).sort()).toEqual(called.sort());
  for (const { fn, alternatives } of rows) {
    expect(alternatives.length, fn).toBeGreaterThan(0);
    for (const names of alternatives) {
      // The error of damaged files tells which function read them.
      let error: unknown;
      try {
        loadTokenizer(Object.fromEntries(names.map((name) => [name, Uint8Array.of(123)])));
      } catch (thrown) {
        error = thrown;
      }
      expect(isQkvError(error), names.join()).toBe(true);
      const { fn: reader, expected } = error as { fn: string; expected: string };
      expect([fn, "loadTokenizer"], names.join()).toContain(reader);
      expect(expected, names.join()).not.toContain("a tokenizer's files");
    }
  }
});
