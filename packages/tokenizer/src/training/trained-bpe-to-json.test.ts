import { expect, test } from "vitest";
import { trainBpe } from "./train-bpe.js";
import { trainedBpeToJson } from "./trained-bpe-to-json.js";

test("tokenizer.json has the tokens with their ids, special tokens as added tokens, and merges in order", async () => {
  const trained = await trainBpe(["hug hugs"], { vocabSize: 259, specialTokens: ["<|end|>"] });
  const file = JSON.parse(trainedBpeToJson(trained)) as {
    added_tokens: object[];
    pre_tokenizer: object;
    decoder: object;
    model: { type: string; vocab: Record<string, number>; merges: [string, string][] };
  };
  expect(new Map(Object.entries(file.model.vocab))).toEqual(trained.vocab);
  expect(file.model.merges).toEqual([
    ["u", "g"],
    ["h", "ug"],
  ]);
  expect(file.added_tokens).toEqual([
    {
      id: 0,
      content: "<|end|>",
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    },
  ]);
  const bytes = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
  expect(file).toMatchObject({ pre_tokenizer: bytes, decoder: bytes, model: { type: "BPE" } });
});

test("tokens that look like integer keys of JavaScript objects keep their order", async () => {
  const trained = await trainBpe(["10 10 10"], { vocabSize: 257 });
  const { vocab } = (JSON.parse(trainedBpeToJson(trained)) as { model: { vocab: Record<string, number> } })
    .model;
  expect(vocab["10"]).toBe(256);
  expect(vocab["1"]).toBe(trained.vocab.get("1"));
});
