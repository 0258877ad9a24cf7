import fc from "fast-check";
import { expect, test } from "vitest";
import { byteLevelBpe } from "../byte-level-bpe.js";
import { composeTokenizer } from "../compose-tokenizer.js";
import { byteLevelDecoder } from "../decoders/byte-level-decoder.js";
import { tiktokenTokenizer } from "../loading/tiktoken.js";
import { tokenizerFromJson } from "../loading/tokenizer-json/tokenizer-json.js";
import { bertTokenizer } from "../loading/vocab-files.js";
import { byteBpe } from "../models/byte-bpe.js";
import { characterBpe } from "../models/character-bpe.js";
import { cl100kSplit } from "../pre-tokenizers/known-splits.js";
import { defineSplit } from "../pre-tokenizers/split.js";
import { tokenizerToJson } from "./tokenizer-to-json.js";
import type { Tokenizer } from "../tokenizer.js";
import { bytesToUnicode } from "../bytes-to-unicode.js";
import { anyText } from "@qkv/test-support/split-property";

const merges = ["Ġ a", "a b", "b b", "Ġa b"];
const vocab = [...bytesToUnicode, "Ġa", "ab", "bb", "Ġab"];
const bytes = Array.from({ length: 256 }, (_, byte) => `${btoa(String.fromCharCode(byte))} ${byte}`);
const file = [...bytes, `${btoa("ab")} 256`, `${btoa("abb")} 257`, `${btoa(" ab")} 258`].join("\n");
const metaspace = { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true };

const tokenizers: [string, Tokenizer][] = [
  ["trained", byteLevelBpe({ vocab, merges }, { specialTokens: { "<|end|>": 260 } })],
  [
    "tiktoken ranks, without a merge list",
    tiktokenTokenizer(file, { split: cl100kSplit, specialTokens: { "<|x|>": 259 } }),
  ],
  ["BERT's", bertTokenizer("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n##b\n!\né")],
  [
    "a tokenizer with every kind of step",
    tokenizerFromJson({
      truncation: { max_length: 9, strategy: "LongestFirst", direction: "Left" },
      padding: { strategy: { Fixed: 4 }, direction: "Left", pad_id: 0, pad_token: "<p>" },
      added_tokens: [{ id: 7, content: "<x>", special: true, normalized: false, rstrip: true }],
      normalizer: {
        type: "Sequence",
        normalizers: [
          { type: "NFKC" },
          { type: "BertNormalizer", strip_accents: true },
          { type: "Replace", pattern: { Regex: "b+" }, content: "b" },
        ],
      },
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [{ type: "Digits", individual_digits: true }, metaspace],
      },
      model: {
        type: "Unigram",
        unk_id: 0,
        vocab: [
          ["<u>", 0],
          ["▁", -2],
          ["▁a", -1],
          ["a", -1.5],
          ["b", -2.5],
          ["ab", -3],
        ],
      },
      post_processor: {
        type: "TemplateProcessing",
        single: [{ Sequence: { id: "A" } }, { SpecialToken: { id: "<x>" } }],
        pair: [{ Sequence: { id: "A" } }, { Sequence: { id: "B", type_id: 1 } }],
        special_tokens: { "<x>": { ids: [7] } },
      },
      decoder: metaspace,
    }),
  ],
];

test.each(tokenizers)(
  "property: %s, saved and loaded, gives the same ids, offsets and text",
  (_, tokenizer) => {
    const again = tokenizerFromJson(JSON.stringify(tokenizerToJson(tokenizer)));
    fc.assert(
      fc.property(anyText, anyText, (text, pair) => {
        const options = { specialTokens: "allowed" } as const;
        const ids = tokenizer.encode(text, options);
        expect(again.encode(text, options)).toEqual(ids);
        expect(again.encoding(text, { ...options, pair })).toEqual(
          tokenizer.encoding(text, { ...options, pair }),
        );
        expect(again.decode(ids)).toBe(tokenizer.decode(ids));
      }),
    );
  },
);

test("golden: scores become merges, highest first; splits of one token are ordered by the length of the left side", () => {
  const options = { vocab: ["a", "b", "ab", "bb", "abb", "<0x41>", "<s>"], byteFallback: true };
  const scored = (scores: readonly number[]) =>
    composeTokenizer({
      model: characterBpe({ ...options, merges: { scores }, reserved: new Set([6]) }),
      decoder: byteLevelDecoder,
    });
  const { model } = tokenizerToJson(scored([0, 0, -3, -1, -2, 0, 0])) as { model: object };
  const merges = [
    ["b", "b"],
    ["ab", "b"],
    ["a", "bb"],
    ["a", "b"],
  ];
  expect(model).toMatchObject({ type: "BPE", byte_fallback: true, merges, vocab: { "<0x41>": 5, "<s>": 6 } });
  expect(() => tokenizerToJson(scored([0, 0, -1, -1, -2, 0, 0]))).toThrow(
    'tokenizerToJson: `stages.model.scores` is "-1 for \\"ab\\" and for \\"bb\\"", expected scores that differ',
  );
});

test("golden: tiktoken's ranks become merges", () => {
  const { model } = tokenizerToJson(tokenizers[1]![1]) as {
    model: { merges: string[]; ignore_merges: boolean };
  };
  expect(model).toMatchObject({ merges: ["a b", "ab b", "Ġ ab"], ignore_merges: true });
});

test("an EOS token that is also ordinary text is decoded as text", () => {
  const stages = { model: byteBpe({ vocab: ["a", "Ċ", "<s>"] }), decoder: byteLevelDecoder };
  const { added_tokens } = tokenizerToJson(composeTokenizer({ ...stages, bosId: 1, eosId: 1 }));
  expect(added_tokens).toEqual([]);
  const { added_tokens: special } = tokenizerToJson(composeTokenizer({ ...stages, bosId: 2, eosId: 2 }));
  expect(special).toMatchObject([{ id: 2, content: "<s>", special: true }]); // "<" has no token
});

test("a stage that tokenizer.json cannot represent is refused by name", () => {
  const split = defineSplit("my own", (text) => text.length);
  const model = byteBpe({ vocab: ["a"] });
  const own = composeTokenizer({ preTokenizers: [split], model, decoder: byteLevelDecoder });
  expect(() => tokenizerToJson(own)).toThrow(
    'tokenizerToJson: `stages.preTokenizers` is "my own", expected a stage that tokenizer.json can hold.\n' +
      "Fix: give the stage a `json`, as the file would write it, or save what it was loaded from.",
  );
});
