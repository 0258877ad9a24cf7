import { expect, test } from "vitest";
import { byteIds } from "./byte-ids.js";
import { byteLevelBpe } from "../byte-level-bpe.js";
import { tokenizerFromJson } from "../loading/tokenizer-json/tokenizer-json.js";
import { trainBpe } from "../training/train-bpe.js";
import { trainedBpeToJson } from "../training/trained-bpe-to-json.js";

const trained = async (vocabSize: number, specialTokens: string[] = []) =>
  tokenizerFromJson(trainedBpeToJson(await trainBpe(["the cat and the hat"], { vocabSize, specialTokens })));

test("byteIds returns the id of each byte, with and without special tokens", async () => {
  for (const special of [[], ["<|end|>", "<|pad|>"]]) {
    const tokenizer = await trained(256 + special.length, special);
    const ids = byteIds(tokenizer);
    expect(new Set(ids).size).toBe(256);
    const text = "the hat, été 漢";
    expect(tokenizer.encode(text)).toEqual(Array.from(new TextEncoder().encode(text), (byte) => ids[byte]));
  }
});

test("a vocabulary with merges, and one that lacks bytes, are refused", async () => {
  const merged = await trained(257);
  expect(() => byteIds(merged)).toThrow(
    /^byteIds: `tokenizer` is "a vocabulary with the token \\"\w+\\"", expected a token for each of the 256 bytes/,
  );
  const few = byteLevelBpe({ vocab: ["a", "b"], merges: [] });
  expect(() => byteIds(few)).toThrow(/a vocabulary without the byte 0".*\nFix: take a byte-level vocabulary/);
});
