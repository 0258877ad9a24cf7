import fc from "fast-check";
import { expect, test } from "vitest";
import { referenceData } from "../../../conformance/reference-data.mjs";
import { byteLevelBpe } from "./byte-level-bpe.js";
import { composeTokenizer } from "./compose-tokenizer.js";
import { tokenizerFromJson } from "./loading/tokenizer-json/tokenizer-json.js";
import { bertTokenizer } from "./loading/vocab-files.js";

const bert = tokenizerFromJson(
  referenceData.json("tokenizers/vocab/bert-base-uncased/tokenizer.json") as never,
);
const letters = byteLevelBpe({ vocab: ["a", "b", "c"], merges: [] });

test("golden: BERT's ids of two texts, with [PAD] after the shorter", () => {
  // By hand: ids of the words as in refs/bert-base-uncased.json; [CLS] is 101, [SEP] 102, [PAD] 0.
  expect(bert.encodeBatch(["Hello, world!", "Hello world"], { padding: true })).toEqual({
    ids: [
      [101, 7592, 1010, 2088, 999, 102],
      [101, 7592, 2088, 102, 0, 0],
    ],
    attentionMask: [
      [1, 1, 1, 1, 1, 1],
      [1, 1, 1, 1, 0, 0],
    ],
    typeIds: [
      [0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0],
    ],
    lengths: [6, 4],
  });
});

test("golden: pairs have type ids, are truncated from the longer text, and padded on the left", () => {
  const pairs = [
    ["hello world hello world", "hello"],
    ["hello", "world"],
  ] as const;
  const padding = { side: "left", padId: 9, typeId: 3, multipleOf: 4 } as const;
  expect(bert.encodeBatch(pairs, { padding, truncation: { maxLength: 6 } })).toEqual({
    ids: [
      [9, 9, 101, 7592, 2088, 102, 7592, 102],
      [9, 9, 9, 101, 7592, 102, 2088, 102],
    ],
    attentionMask: [
      [0, 0, 1, 1, 1, 1, 1, 1],
      [0, 0, 0, 1, 1, 1, 1, 1],
    ],
    typeIds: [
      [3, 3, 0, 0, 0, 0, 1, 1],
      [3, 3, 3, 0, 0, 0, 1, 1],
    ],
    lengths: [6, 5],
  });
});

test("property: each row is what `encoding` gives, with the padding and truncation of the file", () => {
  const text = fc.stringMatching(/^[abc]{0,9}$/);
  const length = fc.integer({ min: 1, max: 8 });
  const side = fc.constantFrom("left", "right");
  fc.assert(
    fc.property(fc.array(text), length, length, side, side, (texts, length, maxLength, side, cut) => {
      const settings = {
        padding: { padId: 2, length, side },
        truncation: { maxLength: Math.min(length, maxLength), side: cut },
      } as const;
      const ofFile = composeTokenizer({ ...letters.stages, ...settings });
      const batch = ofFile.encodeBatch(texts);
      expect(batch.ids).toEqual(texts.map((text) => ofFile.encoding(text).ids));
      expect(letters.encodeBatch(texts, settings)).toEqual(batch);
      expect(ofFile.encodeBatch(texts, { padding: true, truncation: true })).toEqual(batch);
      expect(ofFile.encodeBatch(texts, { padding: false, truncation: false }).ids).toEqual(
        texts.map((text) => letters.encode(text)),
      );
      expect(batch.lengths).toEqual(batch.attentionMask.map((row) => row.filter(Boolean).length));
    }),
  );
});

test("`<pad>` is found, options of `encode` hold, and no texts are an empty batch", () => {
  const vocab = new TextEncoder().encode("[UNK]\n[CLS]\n[SEP]\na\n[PAD]");
  const small = bertTokenizer(vocab);
  expect(small.encodeBatch(["a a", "a"], { padding: true, addSpecialTokens: false }).ids).toEqual([
    [3, 3],
    [3, 4],
  ]);
  const padded = composeTokenizer({
    ...letters.stages,
    addedTokens: [{ id: 7, content: "<pad>", special: true }],
  });
  expect(padded.encodeBatch(["ab", "a"], { padding: true }).ids[1]).toEqual([0, 7]);
  expect(letters.encodeBatch([])).toEqual({ ids: [], attentionMask: [], typeIds: [], lengths: [] });
});

test.each<[string, () => unknown, RegExp]>([
  [
    "padding without a token",
    () => letters.encodeBatch(["a"], { padding: true }),
    /^encodeBatch: `padding` is true, expected an id to pad with, as the tokenizer has neither `\[PAD\]` nor `<pad>`\.\nFix: give one: `padding: \{ padId: tokenizer\.eosId \}`/,
  ],
  [
    "truncation without a length",
    () => letters.encodeBatch(["a"], { truncation: true }),
    /^encodeBatch: `truncation` is true, expected the maximum length, .*\nFix: give it: `truncation: \{ maxLength: 512 \}`\.$/,
  ],
  [
    "a length without room for the template",
    () => bert.encodeBatch(["a"], { truncation: { maxLength: 1 } }),
    /^encodeBatch: `truncation\.maxLength` is 1, .*\nFix: give 2 or more: the template adds 2 special tokens; or `addSpecialTokens: false`\.$/,
  ],
  [
    "one text",
    () => letters.encodeBatch("a" as never),
    /^encodeBatch: `texts` is "a", expected a list of texts, or of pairs of texts/,
  ],
  [
    "an unknown side",
    () => letters.encodeBatch(["a"], { padding: { side: "end" as never } }),
    /`side` is "end"/,
  ],
  [
    "an unknown setting of truncation",
    () => letters.encodeBatch(["a"], { truncation: { max: 5 } as never }),
    /^encodeBatch: .*max/,
  ],
  [
    "several texts in `encode`",
    () => letters.encode(["a", "b"] as never),
    /^encode: `text` is \["a", "b"\], expected one text, .*\nFix: `encodeBatch\(texts, \{ padding: true, truncation: \{ maxLength \} \}\)`/,
  ],
  [
    "padding in `encode`",
    () => letters.encode("a", { padding: true } as never),
    /^encode: `options` is .*expected one text, without padding and truncation\.\nFix: `encodeBatch/,
  ],
])("%s: refused", (_, call, text) => {
  expect(call).toThrow(text);
});
