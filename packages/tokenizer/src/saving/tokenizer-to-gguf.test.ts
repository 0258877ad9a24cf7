/// <reference types="node" />
import { writeGgufHeader } from "@qkv/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceData } from "../../../../conformance/reference-data.mjs";
import { bytesToUnicode } from "../bytes-to-unicode.js";
import { byteLevelBpe } from "../byte-level-bpe.js";
import { llama2cTokenizer } from "../llama2c-tokenizer.js";
import { ggufTokenizer } from "../loading/gguf.js";
import { composeSentencePiece, sentencePieceTokenizer } from "../loading/sentencepiece.js";
import { tiktokenTokenizer } from "../loading/tiktoken.js";
import { tokenizerFromJson } from "../loading/tokenizer-json/tokenizer-json.js";
import { bertTokenizer, gpt2Tokenizer } from "../loading/vocab-files.js";
import { cl100kSplit, o200kSplit, qwen2Split, tekkenSplit } from "../pre-tokenizers/known-splits.js";
import { defineSplit, type Split } from "../pre-tokenizers/split.js";
import { tokenizerToGguf } from "./tokenizer-to-gguf.js";
import type { Tokenizer } from "../tokenizer.js";
import { anyText } from "@qkv/test-support/split-property";

const again = (tokenizer: Tokenizer, options?: Parameters<typeof tokenizerToGguf>[1]) =>
  ggufTokenizer(writeGgufHeader(tokenizerToGguf(tokenizer, options), []));

const merges = ["Ġ a", "a b", "b b", "Ġa b"];
const vocab = [...bytesToUnicode, "Ġa", "ab", "bb", "Ġab"];
const bpe = (split?: Split) =>
  byteLevelBpe({ vocab, merges }, { specialTokens: { "<|endoftext|>": 260 }, ...(split && { split }) });
const bytes = Array.from({ length: 256 }, (_, byte) => `${btoa(String.fromCharCode(byte))} ${byte}`);
const ranks = [...bytes, `${btoa("ab")} 256`, `${btoa("abb")} 257`, `${btoa(" ab")} 258`].join("\n");

const pieces = [
  ...["<unk>", "<s>", "</s>"].map((text, id) => ({ text, score: 0, type: id === 0 ? 2 : 3 })),
  ...Array.from({ length: 256 }, (_, byte) => ({
    text: `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
    score: 0,
    type: 6,
  })),
  ...["▁a", "ab", "▁ab", "bb", "[x]"].map((text, i) => ({
    text,
    score: 0 - i,
    type: text === "[x]" ? 4 : 1,
  })),
  ...["▁", "a", "b", "é"].map((text, i) => ({ text, score: -10 - i, type: 1 })),
];
const settings = {
  modelType: "bpe",
  byteFallback: true,
  treatWhitespaceAsSuffix: false,
  addDummyPrefix: true,
  removeExtraWhitespaces: false,
  escapeWhitespaces: true,
  precompiledCharsmap: new Uint8Array(),
  unknownSurface: " \u2047 ",
  bosId: 1,
  eosId: 2,
} as const;
const plain = { single: [{ sequence: "A", typeId: 0 }], pair: [] } as const;
const begun = { single: [{ id: 1, typeId: 0 }, ...plain.single], pair: [] } as const;

/** As Hugging Face's conversions write SentencePiece's BPE. */
const converted = (steps: object) => {
  const known = pieces.slice(259).filter(({ text }) => text !== "[x]");
  return tokenizerFromJson({
    added_tokens: [1, 2].map((id) => ({ id, content: pieces[id]!.text, special: true })),
    ...steps,
    model: {
      type: "BPE",
      byte_fallback: true,
      unk_token: "<unk>",
      vocab: Object.fromEntries([...pieces.slice(0, 259), ...known].map(({ text }, id) => [text, id])),
      merges: ["▁ a", "a b", "▁a b", "▁ ab", "b b"],
    },
    decoder: { type: "Sequence", decoders: [{ type: "ByteFallback" }, { type: "Fuse" }] },
  });
};
const escape = { type: "Replace", pattern: { String: " " }, content: "▁" };
const front = { type: "Prepend", prepend: "▁" };

const tokenizers: [string, Tokenizer, Parameters<typeof tokenizerToGguf>[1]?][] = [
  ["GPT-2's", bpe()],
  ["Qwen's", bpe(qwen2Split)],
  ["GPT-4o's", bpe(o200kSplit)],
  ["Llama 3's plain", bpe(cl100kSplit)],
  [
    "tiktoken's",
    tiktokenTokenizer(ranks, { split: cl100kSplit, specialTokens: { "<|x|>": 259 } }),
    { eosId: 259 },
  ],
  ["BERT's", bertTokenizer("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n##b\n!\né")],
  [
    "SentencePiece's",
    composeSentencePiece({ pieces, settings }, { template: begun, specialTokens: "allowed" }),
  ],
  [
    "SentencePiece's, without a space in front",
    composeSentencePiece(
      { pieces, settings: { ...settings, addDummyPrefix: false } },
      { template: plain, specialTokens: "allowed" },
    ),
  ],
  [
    "one converted",
    converted({ normalizer: { type: "Sequence", normalizers: [front, escape] } }),
    { eosId: 2 },
  ],
  ["one converted, without a space in front", converted({ normalizer: escape }), { eosId: 2 }],
];

test.each(tokenizers)("property: %s, saved and loaded, gives the same ids", (_, tokenizer, options) => {
  const other = again(tokenizer, options);
  expect(other.vocabSize).toBe(tokenizer.vocabSize);
  const text = fc.oneof(anyText, fc.string({ unit: fc.constantFrom("a", "b", " ", "é", "[x]", "B", "1") }));
  fc.assert(
    fc.property(text, (text) => {
      // A control token that a text spells is found by both.
      expect(other.encode(text)).toEqual(tokenizer.encode(text));
    }),
  );
});

test("golden: names of splits, token types, ids without a token, and BOS and EOS settings", () => {
  const savedPre = (tokenizer: Tokenizer) =>
    tokenizerToGguf(tokenizer, { eosId: 0 })["tokenizer.ggml.pre"]!.value;
  expect([undefined, qwen2Split, o200kSplit, cl100kSplit].map((split) => savedPre(bpe(split)))).toEqual([
    "gpt-2",
    "qwen2",
    "gpt-4o",
    "dbrx",
  ]);
  // Where pieces that are tokens stay whole.
  const whole = [cl100kSplit, tekkenSplit].map((split) => savedPre(tiktokenTokenizer(ranks, { split })));
  expect(whole).toEqual(["llama-bpe", "tekken"]);
  const fields = tokenizerToGguf(bpe(), { vocabSize: 263 });
  expect(fields["tokenizer.ggml.tokens"]!.value).toHaveLength(263);
  expect((fields["tokenizer.ggml.token_type"]!.value as number[]).slice(259)).toEqual([1, 3, 5, 5]);
  expect(fields["tokenizer.ggml.eos_token_id"]!.value).toBe(260);
  const llama = tokenizerToGguf(tokenizers[6]![1]);
  expect(llama["tokenizer.ggml.model"]!.value).toBe("llama");
  expect(llama["tokenizer.ggml.add_bos_token"]!.value).toBe(true);
  expect(llama["tokenizer.ggml.add_eos_token"]!.value).toBe(false);
  expect((llama["tokenizer.ggml.scores"]!.value as number[]).slice(259, 262)).toEqual([0, -1, -2]);
  const bert = tokenizerToGguf(tokenizers[5]![1]);
  expect((bert["tokenizer.ggml.tokens"]!.value as string[]).slice(3)).toEqual([
    "[SEP]",
    "▁a",
    "▁b",
    "b",
    "▁!",
    "▁é",
  ]);
});

describe("a tokenizer that GGUF cannot represent is refused, with the stage named", () => {
  const refused = (tokenizer: Tokenizer, options?: Parameters<typeof tokenizerToGguf>[1]) => () =>
    tokenizerToGguf(tokenizer, options);
  test("a custom split", () => {
    const own = defineSplit("my own", (text) => text.length);
    expect(refused(bpe(own))).toThrow(
      'tokenizerToGguf: `stages.preTokenizers` is "my own", expected a split that llama.cpp has a name for',
    );
  });
  test("no EOS token", () => {
    expect(refused(byteLevelBpe({ vocab, merges }))).toThrow(
      /`eosId` is undefined, expected a token that ends texts: without one llama.cpp takes token 11 for it\.\nFix: name it/,
    );
  });
  test("an unsupported model, normalizer or template", () => {
    const unigram = { type: "Unigram", unk_id: 0, vocab: [["<u>", 0]] };
    expect(refused(tokenizerFromJson({ model: unigram }))).toThrow(/`stages.model` is "unigram/i);
    const lower = converted({ normalizer: { type: "Lowercase" } });
    expect(refused(lower, { eosId: 2 })).toThrow(
      /`stages.normalizers` is "lowercase", expected spaces that become ▁/,
    );
    const mapped = composeSentencePiece({ pieces, settings: { ...settings, removeExtraWhitespaces: true } });
    expect(refused(mapped)).toThrow(/`stages.normalizers` is "SentencePiece", expected spaces that become ▁/);
    const twice = { single: [...begun.single.slice(0, 1), ...begun.single], pair: [] };
    expect(refused(composeSentencePiece({ pieces, settings }, { template: twice }))).toThrow(
      /`stages.postProcessor` .*expected at most one token in front of a text/,
    );
  });
  test("merges that no scores reproduce", () => {
    const tokenizer = (merges: string[]) =>
      tokenizerFromJson({
        normalizer: escape,
        model: { type: "BPE", byte_fallback: true, vocab: { a: 0, b: 1, ab: 2, abb: 3, bb: 4 }, merges },
      });
    const words = /`stages.model` .*expected merges in the order of the tokens they make/;
    expect(refused(tokenizer(["a b", "ab b", "b b", "a bb"]), { eosId: 0 })).toThrow(words);
    expect(refused(tokenizer(["a b", "ab b"]), { eosId: 0 })).toThrow(words);
    expect(refused(tokenizer(["a b", "b b", "ab b", "a bb"]), { eosId: 0 })).not.toThrow();
  });
});

describe("vocabularies of published models", () => {
  const of = (path: string) => referenceData.bytes(`tokenizers/vocab/${path}`);
  test.each<[string, () => Tokenizer, Parameters<typeof tokenizerToGguf>[1]?]>([
    ["gpt2", () => gpt2Tokenizer(of("gpt2/encoder.json"), of("gpt2/vocab.bpe"))],
    ["mistral-v1", () => tokenizerFromJson(of("mistral-v1/tokenizer.json")), { eosId: 2 }],
    ["bert-base-uncased", () => tokenizerFromJson(of("bert-base-uncased/tokenizer.json"))],
    ["phi-3", () => ggufTokenizer(of("gguf/phi-3.gguf"))],
    ["tok512", () => llama2cTokenizer(referenceData.bytes("models/stories260K/tok512.bin"))],
  ])("%s", (name, make, options) => {
    const tokenizer = make();
    const other = again(tokenizer, options);
    const strings = referenceData.json("tokenizers/strings.json") as { text: string }[];
    expect(strings.length).toBeGreaterThan(100);
    for (const { text } of strings) {
      // In the file these are control tokens, and a space; llama2.c takes them for text.
      if (name === "tok512" && /<\/?s>|<unk>|▁/.test(text)) continue;
      expect(other.encode(text), text).toEqual(tokenizer.encode(text));
    }
  });
  test("ALBERT's Unigram model is refused", () => {
    const unigram = sentencePieceTokenizer(of("spm-unigram-1k-en/spm.model"));
    expect(() => tokenizerToGguf(unigram)).toThrow(/`stages.model`/);
  });
});
