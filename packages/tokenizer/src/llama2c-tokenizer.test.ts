/// <reference types="node" />
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceData } from "../../../conformance/reference-data.mjs";
import { llama2cTokenizer } from "./llama2c-tokenizer.js";
import { tokenizerFromJson } from "./loading/tokenizer-json/tokenizer-json.js";
import { tokenizerToJson } from "./saving/tokenizer-to-json.js";
import type { Tokenizer } from "./tokenizer.js";

/** A tokenizer file as llama2.c writes it. A token's score falls with its id, as SentencePiece's merges do. */
function tokenizerFile(tokens: readonly (string | Uint8Array)[], score = (id: number) => -id): Uint8Array {
  const pieces = tokens.map((token) => (typeof token === "string" ? new TextEncoder().encode(token) : token));
  const file = new DataView(new ArrayBuffer(pieces.reduce((sum, piece) => sum + 8 + piece.length, 4)));
  const bytes = new Uint8Array(file.buffer);
  file.setInt32(0, Math.max(...pieces.map((piece) => piece.length)), true);
  let at = 4;
  pieces.forEach((piece, id) => {
    file.setFloat32(at, score(id), true);
    file.setInt32(at + 4, piece.length, true);
    bytes.set(piece, at + 8);
    at += 8 + piece.length;
  });
  return bytes;
}

const special = ["<unk>", "\n<s>\n", "\n</s>\n"];
const byteTokens = Array.from(
  { length: 256 },
  (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`,
);
const merged = [" ", "a", "b", "é", " a", "ab", " ab", "aa", "aaaa", "éa", "�"];
const file = tokenizerFile([...special, ...byteTokens, ...merged]);
const tokenizer = llama2cTokenizer(file);
const id = (piece: string) => 259 + merged.indexOf(piece);

const unicode = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(" ", "a", "b", "é", "\0", "\uFEFF", "😀", "<0x41>", "<s>", "\n<s>\n") }),
);

test("golden: a space is prepended, characters without a token become bytes, and merges are by score", () => {
  expect(tokenizer.encode("")).toEqual([1]);
  expect(tokenizer.encode("ab")).toEqual([1, id(" ab")]); // by way of " a", the highest score
  expect(tokenizer.encode("aab")).toEqual([1, id(" a"), id("ab")]); // not " " "aa" "b"
  expect(tokenizer.encode("bab", { bos: false })).toEqual([id(" "), id("b"), id("ab")]);
  expect(tokenizer.encode("x")).toEqual([1, id(" "), 0x78 + 3]);
  expect(tokenizer.encode("€")).toEqual([1, id(" "), 0xe2 + 3, 0x82 + 3, 0xac + 3]);
  expect([tokenizer.vocabSize, tokenizer.bosId, tokenizer.eosId]).toEqual([270, 1, 2]);
});

test("names of special tokens in a text are ordinary text", () => {
  // Pieces from which plain search by text would assemble "<s>" and "<0x41>".
  const traps = ["<", "s", ">", "<s", "0", "<0", "x", "<0x", "4", "<0x4", "1", "1>"];
  const trapped = llama2cTokenizer(tokenizerFile(["<unk>", "<s>", "</s>", ...byteTokens, ...traps]));
  for (const text of ["<s>", "<0x41>"]) {
    const ids = trapped.encode(text);
    expect(ids.slice(1)).not.toContain(1);
    expect(ids).not.toContain(0x41 + 3);
    expect(trapped.decode(ids)).toBe(text);
  }
});

test("property: decoding restores any Unicode string, with U+FFFD for lone surrogates", () => {
  fc.assert(
    fc.property(unicode, (text) => {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }),
  );
  const lone = fc.string({ unit: fc.constantFrom("a", "\uD83D", "\uDE00", " ") });
  fc.assert(
    fc.property(lone, (text) => {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.replace(/\p{Surrogate}/gu, "\uFFFD"));
    }),
  );
  expect(tokenizer.encode("\uD83D")).toEqual([1, id(" "), id("�")]);
});

const saved = (of: Tokenizer) => tokenizerFromJson(JSON.stringify(tokenizerToJson(of)));

test("property: saved as tokenizer.json, the tokenizer gives the same ids and text", () => {
  // A token of one letter alone can be cut in two ways that overlap: "aa" "a" and "a" "aa".
  const own = llama2cTokenizer(
    tokenizerFile([...special, ...byteTokens, " ", "a", "b", "é", " a", "ab", " ab", "ba", "abé", "bab"]),
  );
  const again = saved(own);
  expect([again.bosId, again.vocabSize]).toEqual([1, own.vocabSize]);
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(" ", "a", "b", "é", "\0", "\uFEFF", "😀", "<0x41>", "<s>") }),
  );
  fc.assert(
    fc.property(text, (text) => {
      const ids = own.encode(text);
      expect(again.encode(text)).toEqual(ids);
      expect(again.decode(ids)).toBe(own.decode(ids));
    }),
  );
  expect(again.encode("\n<s>\n")).toEqual([1, 1]); // there special tokens are found in texts
});

test("property: streaming equals decoding at once, for any ids", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(tokenizer.vocabSize - 1)), (ids) => {
      const decoder = tokenizer.decodeStream();
      const parts = ids.map((id) => decoder.push(id));
      expect(parts.join("") + decoder.end()).toBe(tokenizer.decode(ids));
    }),
  );
});

test("a decoded continuation keeps its first space", () => {
  expect(tokenizer.decode([1, id(" a"), id(" a")])).toBe("a a");
  expect(tokenizer.decode([id(" a")])).toBe(" a");
});

test("a text of a million equal letters is encoded", () => {
  const ids = tokenizer.encode("a".repeat(1 << 20), { bos: false });
  expect(ids.length).toBe(2 + (1 << 18)); // " a", the last three letters as "aa" and "a", "aaaa" between
  expect(ids.slice(0, 2)).toEqual([id(" a"), id("aaaa")]);
  expect(ids.slice(-2)).toEqual([id("aa"), id("a")]);
});

describe("refused", () => {
  const bytes = new Uint8Array(file);
  const patched = (patch: (view: DataView) => void) => {
    const copy = bytes.slice();
    patch(new DataView(copy.buffer));
    return copy;
  };

  test.each([
    ["an empty file", new Uint8Array(), /max_token_length` is "0 bytes, at byte 0 of 0", expected 4 bytes/],
    [
      "a longest token of 0 bytes",
      patched((v) => v.setInt32(0, 0, true)),
      /max_token_length` is 0, expected 1 or more/,
    ],
    ["no tokens", bytes.slice(0, 4), /tokens` is 0, expected 3 or more/],
    ["half a score", bytes.slice(0, 6), /tokens\[0\]\.score` is "2 bytes, at byte 4 of 6", expected 4 bytes/],
    ["a piece cut short", bytes.slice(0, 14), /tokens\[0\]\.bytes` is "2 bytes, .*", expected 5 bytes/],
    [
      "2 GB",
      patched((v) => v.setInt32(8, 0x7fffffff, true)),
      /tokens\[0\]\.length` is 2147483647, expected 0 to/,
    ],
    [
      "a negative length",
      patched((v) => v.setInt32(8, -1, true)),
      /tokens\[0\]\.length` is -1, expected 0 to/,
    ],
    [
      "a score NaN",
      patched((v) => v.setFloat32(4, NaN, true)),
      /tokens\[0\]\.score` is NaN, expected a finite/,
    ],
  ])("a file with %s", (_, bytes, message) => {
    expect(() => llama2cTokenizer(bytes)).toThrow(message);
    expect(() => llama2cTokenizer(bytes)).toThrow(expect.objectContaining({ name: "FormatError" }));
  });

  test("a tokenizer with another vocabulary size than the model", () => {
    expect(() => llama2cTokenizer(file, { vocabSize: 512 })).toThrow(
      "llama2cTokenizer: `tokenizer file: number of tokens` is 270, expected vocabSize = 512.\n" +
        "Fix: give the tokenizer that the model was trained with.",
    );
    expect(llama2cTokenizer(file, { vocabSize: 270 }).vocabSize).toBe(270);
  });

  test("a character without a token, in a vocabulary without byte tokens", () => {
    const small = llama2cTokenizer(tokenizerFile([...special, " ", "a"]));
    expect(small.encode("a")).toEqual([1, 3, 4]);
    expect(() => small.encode("ab")).toThrow(
      /encode: `text` is "b", expected text of char.*\nFix: leave "b" out/,
    );
  });

  test("a value that is neither bytes nor text", () => {
    expect(() => llama2cTokenizer("tok512.bin" as never)).toThrow(
      /`bytes` is "tok512.bin", expected a Uint8Array/,
    );
    expect(() => tokenizer.encode(5 as never)).toThrow(/encode: `text` is 5, expected a string/);
  });
});

describe("ids equal those of llama2.c", () => {
  const json = (path: string) => referenceData.json(path) as never;
  const load = () =>
    llama2cTokenizer(referenceData.bytes("models/stories260K/tok512.bin"), { vocabSize: 512 });

  test("every string of refs/tok512.json", () => {
    const texts = new Map(
      (json("tokenizers/strings.json") as { id: string; text: string }[]).map((s) => [s.id, s.text]),
    );
    const { cases } = json("tokenizers/refs/tok512.json") as { cases: { id: string; ids: number[] }[] };
    const tokenizer = load();
    expect(cases.length).toBeGreaterThan(100);
    for (const each of [tokenizer, saved(tokenizer)]) {
      for (const { id, ids } of cases) {
        const text = texts.get(id)!;
        expect(each.encode(text), id).toEqual(ids);
        expect(each.decode(ids), id).toBe(text);
      }
    }
  });

  test("every prompt and story of the model's references", () => {
    type Story = { prompt: string; prompt_tokens: number[]; greedy_tokens: number[]; text: string };
    const { cases } = json("models/stories260K/refs.json") as { cases: Story[] };
    const tokenizer = load();
    for (const { prompt, prompt_tokens, greedy_tokens, text } of cases) {
      expect(tokenizer.encode(prompt)).toEqual(prompt_tokens);
      expect(tokenizer.decode([...prompt_tokens, ...greedy_tokens])).toBe(text);
    }
  });
});
