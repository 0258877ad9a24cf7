import { randn, slice, sum, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { decoder } from "../models/decoder.js";
import { ablateHeads, headContributions, patchHeads } from "./heads.js";
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
const [one, other] = [
  [3, 1, 4, 1],
  [2, 7, 1, 8],
];

test("what heads write adds up to what attention adds", () => {
  const { tensors } = traced(one);
  params.layers.forEach(({ attention }, i) => {
    const writes = headContributions(tensors[`layers.${i}.attention.heads`]!, attention.output);
    const together = sum(writes, { axis: 1 });
    expect(together).toBeAllclose(tensors[`layers.${i}.attentionOutput`]!, { rtol: 0, atol: 5e-6 });
  });
});

test("a head that is taken away writes nothing, and the others what they wrote", () => {
  const before = traced(one).tensors["layers.0.attention.heads"]!;
  const { tensors, logits } = traced(one, ablateHeads([{ layer: 0, head: 1 }]));
  const after = tensors["layers.0.attention.heads"]!;
  const head = (x: Tensor, h: number) => slice(x, 1, h, h + 1).toNested();
  expect([head(after, 0), head(after, 2)]).toEqual([head(before, 0), head(before, 2)]);
  expect(slice(after, 1, 1, 2).data.every((x) => x === 0)).toBe(true);
  expect(logits.data).not.toEqual(traced(one).logits.data);
});

test("without any head, no token hears of another", () => {
  const all = [0, 1].flatMap((layer) => [0, 1, 2].map((head) => ({ layer, head })));
  const last = (ids: readonly number[]) => slice(traced(ids, ablateHeads(all)).logits, 1, 3).data;
  expect(last([3, 1, 4, 1])).toEqual(last([5, 5, 5, 1]));
});

test("all heads of another run make attention add what it added there", () => {
  const given = traced(other).tensors;
  const heads = [0, 1, 2].map((head) => ({ layer: 0, head }));
  const { tensors } = traced(one, patchHeads(heads, given));
  expect(tensors["layers.0.attentionOutput"]!.data).toEqual(given["layers.0.attentionOutput"]!.data);
});

test("a run that is patched with itself is the same, bit for bit", () => {
  const { tensors, logits } = traced(one);
  const interventions = patchHeads([{ layer: 1, head: 2 }], tensors);
  expect(traced(one, interventions).logits.data).toEqual(logits.data);
});

test("the lens ends with what the model says, and begins with what a token says alone", () => {
  const lens = logitLens(model, params, one);
  expect(lens.at(-1)!.data).toEqual(model.apply(params, one).data);
  const alone = logitLens(model, params, [1])[0]!.data;
  expect(slice(lens[0]!, 1, 3).data).toEqual(alone);
});

test("heads that are not there are refused", () => {
  expect(() => traced(one, ablateHeads([{ layer: 0, head: 3 }]))).toThrow(
    /ablateHeads: `heads` is 3, expected a head from 0 to 2 of layer 0.*\nFix: count heads from 0/,
  );
  expect(() => patchHeads([{ layer: 5, head: 0 }], {})).toThrow(
    /patchHeads: .*a tensor layers\.5\.attention\.heads.*\nFix: trace the source run/,
  );
  expect(() => headContributions(randn([1, 2, 3, 4], { seed: 1 }), { weight: tensor([[1]]) })).toThrow(
    /headContributions: `output.weight` is 1, expected 8 columns/,
  );
});
