import { describe, expect, test } from "vitest";
import { byteLevelBpe } from "./byte-level-bpe.js";
import { chatTemplate } from "./chat/chat-template.js";
import { tokenizerFromJson } from "./loading/tokenizer-json/tokenizer-json.js";

const bytes = byteLevelBpe(
  { vocab: ["a", "b", "ab", "Ġ"], merges: ["a b"] },
  { specialTokens: { "<|end|>": 7 } },
);
const unigram = tokenizerFromJson({
  model: { type: "Unigram", unk_id: 0, vocab: [["<unk>", 0], ["a", -1], ["b", -1]] }, // prettier-ignore
});
const js = (value: unknown) => value as never;

describe.each([
  ["byte-level BPE", bytes],
  ["Unigram", unigram],
])("invalid ids are refused with the name of the method: %s", (_, tokenizer) => {
  test.each([1.5, -1, 2 ** 32 + 1, 2 ** 32 + 5, 1e300, Number.NaN, Infinity, "1", null, undefined, {}, 1n])(
    "%s",
    (id) => {
      const message = /`id` is .*, expected a token id from 0 to \d/;
      expect(() => tokenizer.decode([1, js(id)])).toThrow(message);
      expect(() => tokenizer.decode([1, js(id)])).toThrow(/^decode: /);
      expect(() => tokenizer.decodeStream().push(js(id))).toThrow(message);
      expect(() => tokenizer.decodeStream().push(js(id))).toThrow(/^push: /);
    },
  );
  test.each([5, null, undefined, "12", {}, () => 1])("%s is no list of ids", (ids) => {
    expect(() => tokenizer.decode(js(ids))).toThrow(/^decode: `ids` is .*, expected a list of token ids/);
  });
  test("ids outside the vocabulary", () => {
    expect(() => tokenizer.decode([tokenizer.vocabSize])).toThrow(/expected a token id from 0 to/);
    expect(() => tokenizer.token(1.5)).toThrow(/^token: `id` is 1.5, expected an integer/);
    expect(tokenizer.token(tokenizer.vocabSize)).toBeUndefined();
    expect(() => tokenizer.id(js(5))).toThrow(/^id: `token` is 5, expected a string/);
  });
});

test("ids of gaps in the vocabulary are refused, ids in a typed array are accepted", () => {
  expect(() => bytes.decode([5])).toThrow(/expected a token id/);
  expect(bytes.decode(Int32Array.of(2, 3, 2))).toBe("ab ab");
  expect(bytes.decode(new Set([0, 1]))).toBe("ab");
});

test.each([
  [
    () => bytes.encode("a", js({ addSpecialToken: true })),
    "encode: `addSpecialToken` is true, expected one of the options addSpecialTokens, bos, specialTokens.\nFix: write `addSpecialTokens`.",
  ],
  [() => bytes.encode("a", js(5)), "encode: `options` is 5"],
  [() => bytes.encode("a", { specialTokens: js("none") }), "encode: `specialTokens` is"],
  [
    () => bytes.encode("a", { addSpecialTokens: js("false") }),
    'encode: `addSpecialTokens` is "false", expected a boolean',
  ],
  [() => bytes.decode([0], { skipSpecialTokens: js("no") }), 'decode: `skipSpecialTokens` is "no"'],
  [() => bytes.encode(js(5)), "encode: `text` is 5, expected a string"],
  [() => bytes.encoding(js(null)), "encoding: `text` is null"],
  [() => bytes.encoding("a", { unit: js("bytes") }), "encoding: `unit` is"],
  [() => bytes.encoding("a", { pair: js(5) }), "encoding: `pair` is 5"],
  [() => bytes.encoding("a", js({ limit: 3 })), "encoding: `limit` is 3"],
  [() => bytes.count(js(undefined)), "count: `text` is undefined"],
  [() => bytes.count("a", js({ max: 3 })), "count: `max` is 3"],
  [() => bytes.count("a", { limit: Number.NaN }), "count: `limit` is NaN"],
  [() => bytes.trace(js([])), "trace: `text` is"],
  [() => bytes.decode([0], js({ skipSpecial: true })), "decode: `skipSpecial` is true"],
  [() => bytes.decodeStream(js({ skipSpecial: true })), "decodeStream: `skipSpecial` is true"],
  [() => bytes.encode("a<|end|>", { specialTokens: "refused" }), "encode: `text` is"],
  [() => bytes.count("a<|end|>", { specialTokens: "refused" }), "count: `text` is"],
  [() => chatTemplate("a").render(js(null)), "render: `messages` is null, expected a list of messages"],
  [() => chatTemplate("a").render([js({ content: "a" })]), "render: `messages` is"],
  [
    () => chatTemplate("a").render([], js({ add_generation_prompt: true })),
    "render: `add_generation_prompt` is true, expected one of the options addGenerationPrompt, tools, variables, now.\nFix: write `addGenerationPrompt`.",
  ],
])("errors name the method and the unknown option: %s", (call, message) => {
  expect(call).toThrow(message);
});
