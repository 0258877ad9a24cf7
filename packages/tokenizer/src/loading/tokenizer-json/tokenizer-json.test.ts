/// <reference types="node" />
import { describe, expect, test } from "vitest";
import { referenceData } from "../../../../../conformance/reference-data.mjs";
import { bytesToUnicode } from "../../bytes-to-unicode.js";
import { tokenizerFromJson } from "./tokenizer-json.js";

const vocab = Object.fromEntries([...bytesToUnicode, "ab"].map((token, id) => [token, id]));
const bpe = { type: "BPE", vocab, merges: ["a b"] };
const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const words = { type: "WordLevel", vocab: { "?": 0, a: 1, b: 2, "a b": 3 }, unk_token: "?" };

test("golden: a space is prepended, and offsets exclude white space", () => {
  const spaced = { ...byteLevel, add_prefix_space: true };
  const file = { model: bpe, pre_tokenizer: spaced, post_processor: spaced, decoder: byteLevel };
  const { tokens, offsets } = tokenizerFromJson(file).encoding("ab ab");
  expect(tokens).toEqual(["Ġ", "ab", "Ġ", "ab"]);
  // As native tokenizers 0.23.2 gives them: the space in front is no character of the text.
  expect(offsets).toEqual([
    [0, 0],
    [0, 2],
    [3, 3],
    [3, 5],
  ]);
});

test("golden: a character-level vocabulary with an unknown token and an end-of-word suffix", () => {
  const model = {
    type: "BPE",
    vocab: { a: 0, "b</w>": 1, "ab</w>": 2, "<unk>": 3, "a</w>": 4 },
    merges: [["a", "b</w>"]],
    unk_token: "<unk>",
    end_of_word_suffix: "</w>",
    fuse_unk: true,
  };
  const decoder = { type: "BPEDecoder", suffix: "</w>" };
  const tokenizer = tokenizerFromJson({ model, pre_tokenizer: { type: "WhitespaceSplit" }, decoder });
  expect(tokenizer.encode("ab a xyzb")).toEqual([2, 4, 3, 1]);
  expect(tokenizer.decode([2, 4])).toBe("ab a");
});

test("added tokens: lstrip, rstrip, singleWord and normalized", () => {
  const added = (content: string, more = {}) => ({
    id: 9,
    content,
    special: false,
    normalized: false,
    ...more,
  });
  const load = (token: object, more = {}) =>
    tokenizerFromJson({
      model: words,
      pre_tokenizer: { type: "Whitespace" },
      added_tokens: [token],
      ...more,
    });
  expect(load(added("x", { lstrip: true, rstrip: true })).encoding("a x b").offsets).toEqual([
    [0, 1],
    [1, 4],
    [4, 5],
  ]);
  expect(load(added("x", { single_word: true })).encode("ax x")).toEqual([0, 9]);
  const lower = { normalizer: { type: "Lowercase" } };
  expect(load(added("X", { normalized: true }), lower).encode("a x X")).toEqual([1, 9, 9]);
  expect(load(added("X"), lower).encode("a x X")).toEqual([1, 0, 9]);
});

test("text pairs, type ids, truncation and padding", () => {
  const file = {
    model: words,
    pre_tokenizer: { type: "Whitespace" },
    post_processor: { type: "BertProcessing", cls: ["[CLS]", 7], sep: ["[SEP]", 8] },
    truncation: { max_length: 6, strategy: "LongestFirst", direction: "Right" },
    padding: { strategy: { Fixed: 8 }, pad_id: 5, pad_type_id: 3, pad_to_multiple_of: null },
    added_tokens: [
      { id: 7, content: "[CLS]" },
      { id: 8, content: "[SEP]" },
    ],
  };
  const tokenizer = tokenizerFromJson(file, { bos_token: "[CLS]", eos_token: { content: "[SEP]" } });
  expect(tokenizer.encoding("a a a a", { pair: "b" })).toMatchObject({
    ids: [7, 1, 1, 8, 2, 8, 5, 5],
    typeIds: [0, 0, 0, 0, 1, 1, 3, 3],
    sequenceIds: [-1, 0, 0, -1, 1, -1, -1, -1],
  });
  expect(tokenizer.encode("a")).toEqual([7, 1, 8, 5, 5, 5, 5, 5]);
  expect([tokenizer.bosId, tokenizer.eosId]).toEqual([7, 8]);
});

describe("refused, with the field named", () => {
  test.each<[string, unknown, RegExp]>([
    ["no JSON", "{", /tokenizerFromJson: `tokenizer.json` is "{", expected JSON/],
    ["a list", "[]", /`tokenizer.json` is \[\], expected an object/],
    ["what is no file", 5, /`tokenizer.json` is 5, expected the file's text/],
    ["no model", {}, /tokenizer.json: model.vocab` is undefined, expected an object/],
    ["an unknown model", { model: { type: "Magic" } }, /model.type` is "Magic", expected a model: BPE/],
    [
      "no vocabulary",
      { model: { ...bpe, vocab: {} } },
      /model.vocab` is an object with no keys, expected one token/,
    ],
    ["no merges", { model: { type: "BPE", vocab } }, /model.merges` is undefined, expected a list/],
    [
      "a merge whose result is not in the vocabulary",
      { model: { ...bpe, merges: ["b a"] } },
      /`merges\[0\]` is "ba", expected a token of the/,
    ],
    [
      "a merged token with the id of another token",
      { model: { ...bpe, vocab: { ...vocab, ab: 64 } } },
      /`vocab\["ab"\]` is 64, expected a unique id/,
    ],
    [
      "an id of 2 GB",
      { model: { ...bpe, vocab: { a: 2 ** 31 } } },
      /`vocab\["a"\]` is 2147483648, expected an integer/,
    ],
    ["dropout", { model: { ...bpe, dropout: 0.1 } }, /model.dropout` is 0.1, expected no dropout/],
    [
      "an unknown normalizer",
      { model: words, normalizer: { type: "toString" } },
      /normalizer.type` is "toString", expected a norm/,
    ],
    [
      "an unknown step",
      { model: words, pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "X" }] } },
      /pre_tokenizer.pretokenizers\[0\].type` is "X"/,
    ],
    [
      "a pattern that is too large",
      {
        model: words,
        pre_tokenizer: { type: "Split", pattern: { Regex: "(a{0,500}){500}" }, behavior: "Isolated" },
      },
      /`pre_tokenizer.pattern.Regex` is "\(a\{0,500\}\)\{500\}"/,
    ],
    [
      "a replacement's pattern that is too large",
      { model: words, normalizer: { type: "Replace", pattern: { Regex: "(a{0,500}){500}" }, content: "" } },
      /`normalizer.pattern.Regex` is/,
    ],
    [
      "a behaviour",
      { model: words, pre_tokenizer: { type: "Split", pattern: { String: "a" }, behavior: "Eat" } },
      /behavior` is "Eat", expected Isolated, Removed, .*\nFix: qkv does not implement `pre_tokenizer.behavior: "Eat"`\./,
    ],
    [
      "a character map of 4 GB",
      { model: words, normalizer: { type: "Precompiled", precompiled_charsmap: "/////w==" } },
      /precompiled_charsmap.trie_size` is 4294967295, expected a multiple/,
    ],
    [
      "an added token without text",
      { model: words, added_tokens: [{ id: 3 }] },
      /added_tokens\[0\].content` is undefined, expected a text/,
    ],
    [
      "a template with a missing token",
      {
        model: words,
        post_processor: {
          type: "TemplateProcessing",
          single: [{ SpecialToken: { id: "x" } }],
          pair: [],
          special_tokens: {},
        },
      },
      /special_tokens.x.ids` is undefined, expected a list/,
    ],
    [
      "an unknown decoder",
      { model: words, decoder: { type: "X" } },
      /decoder.type` is "X", expected a decoder.*\nFix: qkv does not implement `decoder.type: "X"`\. Take a tokenizer with/,
    ],
    [
      "an unknown scheme of spaces",
      { model: words, decoder: { type: "Metaspace", prepend_scheme: "last" } },
      /decoder.prepend_scheme` is "last", expected always, first, never\.\nFix: qkv does not implement/,
    ],
    [
      "an unknown strategy of truncation",
      { model: words, truncation: { max_length: 8, strategy: "OnlyThird" } },
      /truncation.strategy` is "OnlyThird", expected LongestFirst, OnlyFirst, OnlySecond\.\nFix: qkv does not implement/,
    ],
    [
      "an unknown side of padding",
      { model: words, padding: { direction: "Center" } },
      /padding.direction` is "Center", expected Left, Right\.\nFix: qkv does not implement/,
    ],
    [
      "a damaged side of padding",
      { model: words, padding: { direction: 1 } },
      /padding.direction` is 1, expected a text\.\nFix: give the file as it was published/,
    ],
    [
      "an unknown post-processor",
      { model: words, post_processor: { type: "X" } },
      /post_processor.type` is "X", expected a post-processor: .*\nFix: qkv does not implement `post_processor.type: "X"`\./,
    ],
    [
      "a Unigram score that is not a number",
      { model: { type: "Unigram", vocab: [["a", "b"]] } },
      /model.vocab\[0\]` is \["a", "b"\], expected a token and its score/,
    ],
    [
      "an unknown id",
      { model: { type: "Unigram", unk_id: 5, vocab: [["a", 0]] } },
      /model.unk_id` is 5, expected an id below 1/,
    ],
  ])("%s", (_, file, message) => {
    expect(() => tokenizerFromJson(file)).toThrow(message);
  });
});

test.each(["bert-base-uncased", "mistral-v1"])(
  "%s: ids, tokens, offsets and text equal those of the native tokenizers library",
  (name) => {
    type Case = { id: string; ids: number[]; tokens: string[]; offsets: number[][]; decoded: string };
    const json = (path: string) => referenceData.json(`tokenizers/${path}`) as never;
    const tokenizer = tokenizerFromJson(json(`vocab/${name}/tokenizer.json`));
    const texts = new Map(
      (json("strings.json") as { id: string; text: string }[]).map(({ id, text }) => [id, text]),
    );
    const { cases } = json(`refs/${name}.json`) as { cases: Case[] };
    for (const { id, ids, tokens, offsets, decoded } of cases) {
      const whole = tokenizer.encoding(texts.get(id)!, { addSpecialTokens: false, unit: "codePoint" });
      expect(whole, id).toMatchObject({ ids, tokens, offsets });
      expect(tokenizer.decode(ids), id).toBe(decoded);
    }
  },
);

describe("a file whose replacements would turn a word into gigabytes is refused", () => {
  const tenfold = { type: "Replace", pattern: { String: "a" }, content: "a".repeat(10) };
  const model = { type: "WordLevel", unk_token: "a", vocab: { a: 0 } };
  test.each([
    ["normalizer", { type: "Sequence", normalizers: Array(9).fill(tenfold) }],
    ["normalizer", { type: "Replace", pattern: { Regex: "" }, content: "a".repeat(40) }],
    ["pre_tokenizer", { type: "Metaspace", replacement: "a".repeat(40), prepend_scheme: "always" }],
    ["decoder", { type: "Sequence", decoders: [tenfold, { type: "Sequence", decoders: [tenfold] }] }],
  ])("%s", (name, value) => {
    expect(() => tokenizerFromJson(JSON.stringify({ model, [name]: value }))).toThrow(
      new RegExp(`tokenizer.json: ${name}.* expected replacements that make a text at most 32 times as long`),
    );
    const { encode } = tokenizerFromJson(JSON.stringify({ model, normalizer: tenfold }));
    expect(encode("a")).toEqual([0]);
  });
});

describe("a file of more steps than any vocabulary has is refused", () => {
  const model = { type: "WordLevel", unk_token: "a", vocab: { a: 0 } };
  const nested = (steps: string, step: object, count: number) => ({
    type: "Sequence",
    [steps]: [step, { type: "Sequence", [steps]: Array(count - 3).fill(step) }],
  });
  test.each([
    ["normalizer", "normalizers", { type: "Lowercase" }],
    ["normalizer", "normalizers", { type: "Prepend", prepend: "a" }],
    ["pre_tokenizer", "pretokenizers", { type: "Whitespace" }],
    ["decoder", "decoders", { type: "ByteFallback" }],
  ])("%s of %s, %j", (name, steps, step) => {
    const file = (count: number) => JSON.stringify({ model, [name]: nested(steps, step, count) });
    expect(() => tokenizerFromJson(file(101))).toThrow(
      new RegExp(`tokenizer.json: ${name}.* expected at most 100 steps`),
    );
    expect(tokenizerFromJson(file(100)).encode("a")).toEqual([0]);
  });
});

describe("a small file that requires a lot of memory is refused", () => {
  const model = { type: "WordLevel", unk_token: "a", vocab: { a: 0 } };
  const many = { SpecialToken: { id: "<s>", type_id: 0 } };
  const ids = Array.from({ length: 40 }, () => 0);
  test.each([
    [{ padding: { strategy: { Fixed: 1e9 } } }, /padding.strategy.Fixed` is 1000000000, .*at most 131072/],
    [{ padding: { pad_to_multiple_of: 1e15 } }, /padding.pad_to_multiple_of` is .*at most 131072 tokens/],
    [
      {
        post_processor: {
          type: "TemplateProcessing",
          single: Array.from({ length: 26 }, () => many),
          pair: [],
          special_tokens: { "<s>": { id: "<s>", ids, tokens: [] } },
        },
      },
      /post_processor.single` .*a template of at most 1000 tokens/,
    ],
    [
      {
        post_processor: {
          type: "TemplateProcessing",
          single: Array.from({ length: 33 }, () => ({ Sequence: { id: "A", type_id: 0 } })),
          pair: [],
          special_tokens: {},
        },
      },
      /post_processor.single` .*a template of at most 32 texts/,
    ],
    [{ model: { ...model, vocab: { a: 0, b: 200_000 } } }, /vocab\["b"\]` is 200000, .*at most 100008/],
  ])("%j", (more, message) => {
    expect(() => tokenizerFromJson(JSON.stringify({ model, ...more }))).toThrow(message);
  });
});

test("a template for a single text that contains a second text is refused", () => {
  const [first, second] = ["A", "B"].map((id) => ({ Sequence: { id, type_id: 0 } }));
  const file = (single: unknown[]) => ({
    model: { type: "WordLevel", unk_token: "a", vocab: { a: 0 } },
    post_processor: { type: "TemplateProcessing", single, pair: [first, second], special_tokens: {} },
  });
  expect(() => tokenizerFromJson(file([first, second]))).toThrow(
    /post_processor.single\[1\].Sequence.id` is "B", expected A\./,
  );
  expect(tokenizerFromJson(file([first])).encoding("a", { pair: "a" }).ids).toEqual([0, 0]);
});

test.each([
  ["normalizer", "normalizers", '{"type":"NFC"}'],
  ["pre_tokenizer", "pretokenizers", '{"type":"Whitespace"}'],
  ["post_processor", "processors", '{"type":"ByteLevel"}'],
  ["decoder", "decoders", '{"type":"Fuse"}'],
])("steps that are nested too deeply are refused before the stack overflows: %s", (field, list, step) => {
  const deep = `{"type":"Sequence","${list}":[`.repeat(20_000) + step + "]}".repeat(20_000);
  const file = `{"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0}},"${field}":${deep}}`;
  expect(() => tokenizerFromJson(file)).toThrow(/expected at most 100 lists and objects in each other/);
});

// As the native `tokenizers` 0.23.2 gives them.
test.each([
  [false, "axyb z", [2, 0, 3, 1, 0], ["▁a", "xy", "b", "▁", "z"]],
  [false, "日本a😀", [1, 0], ["▁", "日本a😀"]],
  [true, "aAb", [2, 4, 3], ["▁a", "<0x41>", "b"]],
  [true, "axAb", [2, 0, 3], ["▁a", "xA", "b"]],
  [false, "<unk>ax", [0, 2, 0], ["<unk>", "▁a", "x"]],
])(
  "unknown text of a Unigram model has that text as its token: byte fallback %s, %s",
  (bytes, text, ids, tokens) => {
    const space = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true };
    const tokenizer = tokenizerFromJson({
      added_tokens: [{ id: 0, content: "<unk>", special: true }],
      pre_tokenizer: space,
      decoder: space,
      model: {
        type: "Unigram",
        unk_id: 0,
        byte_fallback: bytes,
        vocab: [
          ["<unk>", 0],
          ["▁", -1],
          ["▁a", -2],
          ["b", -3],
          ["<0x41>", -4],
        ],
      },
    });
    const encoding = tokenizer.encoding(text);
    expect(encoding.ids).toEqual(ids);
    expect(encoding.tokens).toEqual(tokens);
    const traced = tokenizer
      .trace(text)
      .parts.flatMap((part) =>
        "added" in part ? [part.added] : part.preTokens.flatMap((piece) => piece.tokens),
      );
    expect(traced).toEqual(tokens);
  },
);
