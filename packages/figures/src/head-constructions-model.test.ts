import { fuseHeads, multiHead, perHead, splitHeads, summedHeads } from "@qkv/attention";
import { tensorsOf } from "@qkv/tensor";
import { headConstructions, type HeadConstruction } from "@qkv/viz/figures/head-constructions";
import { expect, test } from "vitest";
import { headConstructionsModel } from "./head-constructions-model.js";

const count = (params: unknown) => tensorsOf(params).reduce((sum, { data }) => sum + data.length, 0);
const names = ["query", "key", "value"] as const;
type Frame = HeadConstruction["result"];
/** x Wᵀ: `[T, C]` times `[O, C]` to `[T, O]`. */
const project = (x: Frame, weight: Frame) => {
  const [T, C] = x.shape as [number, number];
  return Array.from({ length: T * weight.shape[0]! }, (_, at) => {
    const [t, o] = [Math.floor(at / weight.shape[0]!), at % weight.shape[0]!];
    let sum = 0;
    for (let c = 0; c < C; c++) sum += x.data[t * C + c]! * weight.data[o * C + c]!;
    return sum;
  });
};
const expectClose = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  Array.from(a).forEach((value, i) => expect(Math.abs(value - b[i]!)).toBeLessThan(1e-5));
};

test.each([1, 2, 4])("with %i heads every number is the product of its matrices", (numHeads) => {
  const { x, constructions, embedDim: C, tokens } = headConstructionsModel({ numHeads });
  for (const { projections, projected, output, heads, writes, result } of constructions) {
    for (const name of names) expectClose(projected[name].data, project(x, projections[name]));
    if (output) expectClose(result.data, project(heads, output));
    const sums = Array.from({ length: tokens.length * C }, (_, at) => {
      let sum = 0;
      for (let h = 0; h < numHeads; h++) sum += writes.data[h * tokens.length * C + at]!;
      return sum;
    });
    expectClose(result.data, sums);
  }
});

test.each([2, 4])(
  "with %i heads: one matrix for all heads and one per head give the same bits; a split input gives other numbers",
  (numHeads) => {
    const [fused, split, input, summed] = headConstructionsModel({ numHeads }).constructions;
    // `maxDifference`: the largest differences from the fused layer.
    expect(fused!.maxDifference).toEqual({ query: 0, key: 0, value: 0, result: 0 });
    expect(split!.maxDifference).toEqual({ query: 0, key: 0, value: 0, result: 0 });
    for (const name of [...names, "result"] as const) expect(input!.maxDifference[name]).toBeGreaterThan(0.1);
    expect([summed!.maxDifference.query, summed!.maxDifference.key]).toEqual([0, 0]);
    expect(summed!.maxDifference.result).toBeLessThan(1e-6);
  },
);

test("with one head there is nothing to split", () => {
  for (const { maxDifference } of headConstructionsModel({ numHeads: 1 }).constructions) {
    expect(maxDifference.query).toBe(0);
    expect(maxDifference.result).toBeLessThan(1e-6);
  }
});

test("split input is the fused layer with diagonal blocks of weights", () => {
  const { constructions, headDim: D, embedDim: C } = headConstructionsModel({ numHeads: 4 });
  const [fused, , input] = constructions;
  for (const pick of [(c: HeadConstruction) => c.projections.value, (c: HeadConstruction) => c.output!])
    Array.from(pick(input!).data).forEach((value, at) => {
      const inBlock = Math.floor(Math.floor(at / C) / D) === Math.floor((at % C) / D);
      expect(value).toBe(inBlock ? pick(fused!).data[at] : 0);
    });
});

test("parameter counts are those of the layers", () => {
  for (const numHeads of [1, 2, 4]) {
    const { constructions, embedDim } = headConstructionsModel({ numHeads });
    const layers = [
      multiHead({ embedDim, numHeads }),
      perHead({ embedDim, numHeads, numKvHeads: numHeads }),
      undefined,
      summedHeads({ embedDim, numHeads }),
    ];
    layers.forEach((layer, i) => {
      if (layer) expect(constructions[i]!.parameters).toBe(count(layer.init(1)));
    });
    expect(constructions[2]!.parameters).toBe((4 * embedDim ** 2) / numHeads);
  }
});

test("at width 512: 1.05M for any number of heads, 6.29M and 12.58M where heads have full size", () => {
  const large = (largeHeads: number) => headConstructionsModel({ largeHeads }).large.parameters;
  for (const numHeads of [8, 16]) {
    const layer = multiHead({ embedDim: 512, numHeads });
    const params = layer.init(1);
    expect(large(numHeads).fused).toBe(count(params));
    const split = splitHeads(params, layer.config);
    expect(large(numHeads)["per-head"]).toBe(count(split));
    expect(count(fuseHeads(split))).toBe(1_048_576);
  }
  expect(large(8).summed).toBe(count(summedHeads({ embedDim: 512, numHeads: 8 }).init(1)));
  expect([large(8).summed, large(16).summed, large(8)["split-input"]]).toEqual([
    6_291_456, 12_582_912, 131_072,
  ]);
});

test("the model accepts every option of the controls, and refuses other values", () => {
  const model = headConstructionsModel();
  for (const control of headConstructions.controls(model, headConstructions.initial)) {
    if (!("options" in control)) continue;
    for (const { value } of control.options)
      expect(headConstructionsModel({ [control.key]: value }).constructions).toHaveLength(4);
  }
  expect(() => headConstructionsModel({ numHeads: 3 })).toThrow(/headConstructionsModel: `numHeads` is 3/);
});
