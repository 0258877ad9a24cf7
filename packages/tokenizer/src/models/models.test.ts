import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { characterBpe } from "./character-bpe.js";
import type { Model } from "./model.js";
import { unigram } from "./unigram.js";
import { wordLevel } from "./word-level.js";
import { wordPiece } from "./word-piece.js";

function encode(model: Model, text: string): { ids: number[]; widths: number[] } {
  const [ids, widths, plain]: [number[], number[], number[]] = [[], [], []];
  model.append(text, 0, text.length, ids, widths);
  model.append(text, 0, text.length, plain);
  expect(plain).toEqual(ids); // with widths and without, remembered or not
  model.append(text, 0, text.length, plain);
  expect(plain).toEqual([...ids, ...ids]);
  return { ids, widths };
}

describe("WordPiece", () => {
  const vocab = ["[UNK]", "un", "##aff", "##able", "##a", "a", "é", "##é", "##😀"];
  const model = wordPiece({ vocab, unknownId: 0, maxInputCharsPerWord: 12 });

  test("golden: the longest token matches first; a word whose end has no token is unknown as a whole", () => {
    expect(encode(model, "unaffable")).toEqual({ ids: [1, 2, 3], widths: [2, 3, 4] });
    expect(encode(model, "unaffx")).toEqual({ ids: [0], widths: [6] });
    expect(encode(model, "éaé😀").ids).toEqual([6, 4, 7, 8]);
    expect(encode(model, "a".repeat(12)).ids).toHaveLength(12);
    expect(encode(model, "a".repeat(13)).ids).toEqual([0]);
    expect(encode(model, "").ids).toEqual([]);
  });
});

describe("Unigram", () => {
  const pieces = [
    ["<unk>", 0],
    ["a", -1],
    ["b", -2],
    ["ab", -2.5],
    ["abc", -9],
    ["c", -3],
    ["<0x64>", -5],
  ] as const;

  /** The definition: all ways to cut, the best sum. */
  function bestScore(text: string, scores: ReadonlyMap<string, number>, unknown: number): number {
    const best = [0];
    for (let end = 1; end <= text.length; end++) {
      best[end] = -Infinity;
      for (let start = 0; start < end; start++) {
        const part = text.slice(start, end);
        const score = scores.get(part) ?? (part.length === 1 ? unknown : -Infinity);
        best[end] = Math.max(best[end]!, best[start]! + score);
      }
    }
    return best[text.length]!;
  }

  test("property: no other segmentation has a higher sum of scores", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c", "x"), maxLength: 20 });
    const score = fc.integer({ min: -50, max: -1 });
    const vocabulary = fc.uniqueArray(
      fc.tuple(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 }), score),
      { selector: ([token]) => token, maxLength: 15 },
    );
    fc.assert(
      fc.property(letters, vocabulary, (text, list) => {
        const model = unigram({ pieces: [["?", 0], ...list], unknownId: 0 });
        const { ids, widths } = encode(model, text);
        expect(widths.reduce((sum, width) => sum + width, 0)).toBe(text.length);
        const unknown = Math.min(0, ...list.map(([, score]) => score)) - 10;
        const scores = new Map(list);
        const sum = ids.reduce(
          (total, id, i) => total + (id === 0 ? unknown * widths[i]! : list[id - 1]![1]),
          0,
        );
        expect(sum).toBe(bestScore(text, scores, unknown));
      }),
    );
  });

  test("golden: adjacent unknown characters are one token; byte fallback needs all bytes; user-defined symbols are preferred", () => {
    expect(encode(unigram({ pieces, unknownId: 0 }), "abxyc")).toEqual({ ids: [3, 0, 5], widths: [2, 2, 1] });
    expect(encode(unigram({ pieces, unknownId: 0, byteFallback: true }), "ad").ids).toEqual([1, 6]);
    expect(encode(unigram({ pieces, unknownId: 0, userDefined: new Set([4]) }), "abc").ids).toEqual([4]);
    expect(encode(unigram({ pieces, unknownId: 0, reserved: new Set([3]) }), "ab").ids).toEqual([1, 2]);
    // Of two ways that score the same, the one whose last token begins first, as SentencePiece has it.
    expect(
      encode(
        unigram({
          pieces: [
            ["a", -1],
            ["b", -2],
            ["ab", -3],
          ],
        }),
        "ab",
      ).ids,
    ).toEqual([2]);
    expect(() => encode(unigram({ pieces }), "x")).toThrow(
      /encode: `text` is "x", expected text of characters/,
    );
    expect(() => unigram({ pieces: [["a", NaN]] })).toThrow(/unigram: `pieces\[0\]` is \["a", NaN\]/);
  });
});

describe("BPE over characters", () => {
  const vocab = ["<unk>", "▁", "a", "b", "ab", "▁a", "<0xC3>", "<0xA9>"];
  const scores = [0, -9, -9, -9, -1, -2, 0, 0];

  test("golden: merges by score, byte fallback for missing characters, fused unknown characters", () => {
    const model = characterBpe({
      vocab,
      merges: { scores },
      byteFallback: true,
      unknownId: 0,
      fuseUnknown: true,
    });
    expect(encode(model, "▁ab▁a")).toEqual({ ids: [1, 4, 5], widths: [3, 2, 4] });
    expect(encode(model, "é")).toEqual({ ids: [6, 7], widths: [1, 1] });
    expect(encode(model, "axyb")).toEqual({ ids: [2, 0, 3], widths: [1, 2, 1] });
  });

  test("property: encoding word by word gives the ids of encoding the whole text", () => {
    const merges = ["a b", "▁ a", "▁ ▁", "▁a b", "▁▁ ▁▁"];
    const tokens = ["▁", "a", "b", "c", ...merges.map((pair) => pair.replace(" ", ""))];
    const apart = characterBpe({ vocab: tokens, merges });
    // A token over the start of a word, which no text reaches, makes the model read texts whole.
    const whole = characterBpe({ vocab: [...tokens, "c▁"], merges });
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("▁", "a", "b", "c"), maxLength: 60 }), (text) => {
        expect(encode(apart, text)).toEqual(encode(whole, text));
      }),
    );
  });

  test("golden: a continuing-subword prefix and an end-of-word suffix", () => {
    const model = characterBpe({
      vocab: ["a", "@b", "@b;", "ab;", "@b@b;"],
      merges: ["a @b;"],
      continuingSubwordPrefix: "@",
      endOfWordSuffix: ";",
    });
    expect(encode(model, "ab").ids).toEqual([3]);
    expect(encode(model, "abb").ids).toEqual([0, 1, 2]);
  });
});

test("word level: a pre-token is a token or unknown", () => {
  const model = wordLevel({ vocab: ["?", "one", "two"], unknownId: 0 });
  expect(encode(model, "one")).toEqual({ ids: [1], widths: [3] });
  expect(encode(model, "three").ids).toEqual([0]);
  expect(() => encode(wordLevel({ vocab: ["one"] }), "three")).toThrow(
    /`text` is "three", expected text whose words/,
  );
});

test("very long tokens are refused, since each position of a text is compared with them", () => {
  const [long, longer] = ["a".repeat(257), "a".repeat(1025)];
  expect(() => wordPiece({ vocab: ["?", long], unknownId: 0 })).toThrow(
    'wordPiece: `vocab` is "a token of 257 bytes", expected tokens of at most 256 bytes',
  );
  expect(() => unigram({ pieces: [[longer, -1]] })).toThrow(
    'unigram: `pieces[0]` is "a token of 1025 characters", expected tokens of at most 1024 bytes',
  );
});
