import fc from "fast-check";
import { expect, test } from "vitest";
import { byteLevelBpe } from "../byte-level-bpe.js";
import { defineSplit } from "../pre-tokenizers/split.js";
import { trainBpe, type TrainBpeProgress } from "./train-bpe.js";

const text = "the cat sat on the mat, then the rat sat there. ".repeat(20);

test("ids are assigned to special tokens, then to bytes in GPT-2's order, then to merges", async () => {
  const { vocab, merges, specialTokens } = await trainBpe([text], {
    vocabSize: 262,
    specialTokens: ["<|end|>", "<|pad|>"],
  });
  expect(specialTokens).toEqual({ "<|end|>": 0, "<|pad|>": 1 });
  expect([...vocab].slice(0, 3)).toEqual([
    ["<|end|>", 0],
    ["<|pad|>", 1],
    ["!", 2],
  ]);
  expect(vocab.get("Ń")).toBe(257);
  // "th", "the" and "at" occur 100 times, " the" only 99: the first "the" of the text has no space before it.
  expect(merges.map((pair) => pair.join(" "))).toEqual(["t h", "th e", "a t", "Ġ the"]);
  expect([...vocab].slice(258)).toEqual(merges.map(([left, right], i) => [left + right, 258 + i]));
});

test("training is deterministic and independent of the order of the texts", async () => {
  const lines = text.split(/(?<=\.)/);
  const forward = await trainBpe(lines, { vocabSize: 300 });
  expect(await trainBpe(lines, { vocabSize: 300 })).toEqual(forward);
  expect(await trainBpe(lines.toReversed(), { vocabSize: 300 })).toEqual(forward);
});

test("training ends if no pair is left, or none occurs `minFrequency` times", async () => {
  expect((await trainBpe(["ab ab"], { vocabSize: 1000 })).merges).toEqual([
    ["a", "b"],
    ["Ġ", "ab"],
  ]);
  expect((await trainBpe(["ab ab"], { vocabSize: 1000, minFrequency: 2 })).merges).toEqual([["a", "b"]]);
  expect((await trainBpe([], { vocabSize: 1000 })).vocab.size).toBe(256);
});

test("texts may be a stream, and the last progress counts all of them", async () => {
  async function* stream() {
    yield* [text, text];
  }
  const seen: TrainBpeProgress[] = [];
  await trainBpe(stream(), { vocabSize: 259, onProgress: (progress) => seen.push(progress) });
  expect(seen.at(-1)).toEqual({
    stage: "merge",
    texts: 2,
    characters: 2 * text.length,
    words: new Set(text.match(/ ?[a-z]+|[.,]| $/g)).size,
    tokens: 259,
    vocabSize: 259,
  });
});

test("an abort signal stops training before it begins, while reading, and while merging", async () => {
  const reason = new Error("enough");
  await expect(trainBpe([text], { vocabSize: 300, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);

  const reading = new AbortController();
  async function* endless() {
    for (;;) yield text;
  }
  const onProgress = ({ stage }: TrainBpeProgress) => stage === "read" && reading.abort(reason);
  await expect(trainBpe(endless(), { vocabSize: 300, signal: reading.signal, onProgress })).rejects.toBe(
    reason,
  );

  const merging = new AbortController();
  const all = trainBpe(["ab"], {
    vocabSize: 300,
    signal: merging.signal,
    split: defineSplit("whole", (text) => {
      merging.abort(reason);
      return text.length;
    }),
  });
  await expect(all).rejects.toBe(reason);
});

test.each([
  [{ vocabSize: 255 }, "`vocabSize` is 255, expected an integer from 256 (256 bytes) to 16777216"],
  [{ vocabSize: 256, specialTokens: ["<a>"] }, "an integer from 257 (256 bytes and the special tokens)"],
  [{ vocabSize: 300.5 }, "`vocabSize` is 300.5"],
  [{ vocabSize: 300, minFrequency: 0 }, "`minFrequency` is 0, expected an integer, 1 or more"],
  [{ vocabSize: 300, specialTokens: [""] }, '`specialTokens` is "", expected texts that are not empty'],
  [
    { vocabSize: 300, specialTokens: ["<a>", "<a>"] },
    '`specialTokens` is "<a>", expected each special token once',
  ],
  [
    { vocabSize: 300, specialTokens: ["Ġ"] },
    '`specialTokens` is "Ġ", expected a text that is no token already',
  ],
])("%j is refused", async (options, message) => {
  await expect(trainBpe(["a"], options)).rejects.toThrow(message);
});

test("a special token that equals a learned token is refused when that token is learned", async () => {
  const training = trainBpe([" the the"], { vocabSize: 300, specialTokens: ["Ġthe"] });
  await expect(training).rejects.toThrow(
    '`specialTokens` is "Ġthe", expected a text that is no token already',
  );
});

test("property: a trained tokenizer encodes and decodes any text without loss, and its training text in fewer tokens than bytes", async () => {
  const trained = await trainBpe([text], { vocabSize: 300, specialTokens: ["<|end|>"] });
  const tokenizer = byteLevelBpe(trained, { specialTokens: trained.specialTokens });
  expect(tokenizer.vocabSize).toBe(trained.vocab.size);
  expect(tokenizer.encode("the<|end|>")).toEqual([trained.vocab.get("the"), 0]);
  expect(tokenizer.encode(text).length).toBeLessThan(text.length / 3);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (any) => {
      expect(tokenizer.decode(tokenizer.encode(any))).toBe(any);
    }),
  );
});
