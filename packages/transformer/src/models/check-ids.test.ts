import { tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { generate } from "../generation/generate.js";
import { tokenLoss } from "../training/losses.js";
import { decoder } from "./decoder.js";
import { encoder } from "./encoder.js";
import { encoderDecoder } from "./encoder-decoder.js";

const layers = { vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, contextLength: 32 };
const rows = [
  [1, 2, 3],
  [4, 5, 6],
];
const batch = tensor(rows, { dtype: "int32" });
const causalModel = decoder({ ...layers, numKvHeads: 2, normEps: 1e-5, stopIds: [] });
const params = causalModel.init(1);

test("lists of one length are a batch for a decoder", () => {
  expect(causalModel.apply(params, rows).data).toEqual(causalModel.apply(params, batch).data);
  const typed = [Int32Array.of(1, 2, 3), Int32Array.of(4, 5, 6)] as never;
  expect(causalModel.apply(params, typed).shape).toEqual([2, 3, 11]);
});

test("lists of one length are a batch for an encoder, and so are its types", () => {
  const model = encoder({ ...layers, numTypes: 2, normEps: 1e-12 });
  const weights = model.init(1);
  const types = [
    [0, 0, 1],
    [0, 1, 1],
  ];
  const expected = model.apply(weights, batch, { types: tensor(types, { dtype: "int32" }) });
  expect(model.apply(weights, rows, { types }).data).toEqual(expected.data);
  expect(() => model.apply(weights, rows, { types: [0, 0, 1] })).toThrow(
    /`types` has shape \[1, 3\], expected \[2, 3\]/,
  );
  expect(() => model.apply(weights, rows, { types: [[0, 0, 1], types[0]!.map(() => 2)] })).toThrow(
    /`types\[1\]\[0\]` is 2/,
  );
});

test("lists of one length are decoder ids of an encoder–decoder, whose sources may differ in length", () => {
  const model = encoderDecoder({ ...layers, startIds: [2], stopIds: [2] });
  const weights = model.init(1);
  const source = model.encode(weights, [[3, 1, 4], [5]]);
  const expected = model.apply(weights, batch, { source });
  expect(model.apply(weights, rows, { source }).data).toEqual(expected.data);
});

test.each<[string, unknown, RegExp]>([
  [
    "lists of several lengths",
    [[1, 2, 3], [4]],
    /^decoder\.apply: `ids` is "sequences of 3 and of 1 tokens", expected \[B, T\]: sequences of one length\.\nFix: pad them: `tokenizer\.encodeBatch\(texts, \{ padding: true \}\)` for texts, `pad\(ids, \{ padId \}\)` of @qkv\/tokenizer for ids\.$/,
  ],
  ["an empty list", [[1], []], /`ids\[1\]` is \[\], expected token ids: a list of integers/],
  ["a number among lists", [[1], 2], /`ids\[1\]` is 2, expected token ids: a list of integers/],
  [
    "an id outside of the vocabulary",
    [
      [1, 2],
      [3, 11],
    ],
    /`ids\[1\]\[1\]` is 11, expected an integer from 0 to 10/,
  ],
])("%s: refused", (_, ids, text) => {
  expect(() => causalModel.apply(params, ids as never)).toThrow(text);
});

test("generate leads from several prompts to generateBatch", async () => {
  const model = { ...causalModel, params, tokenizer: undefined };
  for (const prompts of [rows, ["a", "b"]]) {
    const tokens = generate(model, prompts as never);
    await expect(tokens.next()).rejects.toThrow(
      /^generate: `prompt` is "a list of prompts", expected a text, or a list of token ids\.\nFix: `generateBatch\(model, prompts\)`/,
    );
  }
});

test("a loss refuses a batch of lists, and says how to make tensors of them", () => {
  expect(() => tokenLoss(causalModel)(params, { ids: rows, targets: rows } as never)).toThrow(
    /^tokenLoss: `batch` .*expected a batch: the tensors ids and targets\.\nFix: .*`\{ ids: tensor\(ids, \{ dtype: "int32" \}\), targets: tensor\(targets, \{ dtype: "int32" \}\) \}`\.$/,
  );
});
