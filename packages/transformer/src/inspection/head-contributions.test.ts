import { randn, slice, sum, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { decoder } from "../models/decoder.js";
import { headContributions } from "./head-contributions.js";
import { logitLens } from "./logit-lens.js";

const model = decoder({
  vocabSize: 13,
  embedDim: 12,
  hiddenDim: 16,
  numLayers: 2,
  numHeads: 3,
  numKvHeads: 1,
  contextLength: 16,
  normEps: 1e-5,
  stopIds: [],
});
const params = model.init(1);
const traced = (ids: readonly number[], interventions = {}) => {
  const tensors: Record<string, Tensor> = {};
  const logits = model.apply(params, ids, {
    trace: { names: ["heads", "attentionOutput"], tensors, interventions },
  });
  return { logits, tensors };
};
const ids = [3, 1, 4, 1];

test("the contributions of all heads sum to the output of attention", () => {
  const { tensors } = traced(ids);
  params.layers.forEach(({ attention }, i) => {
    const contributions = headContributions(tensors[`layers.${i}.attention.heads`]!, attention.output);
    const total = sum(contributions, { axis: 1 });
    expect(total).toBeAllclose(tensors[`layers.${i}.attentionOutput`]!, { rtol: 0, atol: 5e-6 });
  });
});

test("the last entry of the logit lens is the model's logits, and the first depends on each token alone", () => {
  const lens = logitLens(model, params, ids);
  expect(lens.at(-1)!.data).toEqual(model.apply(params, ids).data);
  const alone = logitLens(model, params, [1])[0]!.data;
  expect(slice(lens[0]!, 1, 3).data).toEqual(alone);
});

test("an output projection of another width is refused", () => {
  expect(() => headContributions(randn([1, 2, 3, 4], { seed: 1 }), { weight: tensor([[1]]) })).toThrow(
    /headContributions: `output.weight` is 1, expected 8 columns/,
  );
});
