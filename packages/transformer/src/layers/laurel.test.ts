import { multiHead } from "@qkv/attention";
import { add, linear, mapTensors, mul, randn, rmsNorm } from "@qkv/tensor";
import { expect, test } from "vitest";
import { feedForward } from "./feed-forward.js";
import { laurel } from "./laurel.js";
import { norm } from "./norm.js";
import { transformerLayer } from "./transformer-layer.js";

const parts = {
  attention: multiHead({ embedDim: 8, numHeads: 2 }),
  norm: norm({ kind: "rms", embedDim: 8 }),
};
const learned = laurel({ embedDim: 8, rank: 2, norm: parts.norm });
const x = randn([1, 4, 8], { seed: 1 });

test("laurel adds a normalized low-rank projection to its input", () => {
  const params = learned.init(3);
  expect([params.left.weight.shape, params.right.weight.shape]).toEqual([
    [2, 8],
    [8, 2],
  ]);
  const raised = linear(linear(x, params.left.weight), params.right.weight);
  expect(learned.apply(params, x).data).toEqual(
    add(x, rmsNorm(raised, params.norm.weight, { eps: 1e-5 })).data,
  );
});

test("a transformer layer divides the sum of attention residual and LAuReL by √2", () => {
  for (const placement of ["pre", "both"] as const) {
    const layer = transformerLayer({ ...parts, placement, laurel: learned });
    let seed = 10;
    const params = mapTensors(layer.init(3), (w) =>
      w.shape.length === 1 ? randn(w.shape, { seed: seed++ }) : w,
    );
    const read = parts.norm.apply(params.attentionNorm, x);
    const added = parts.attention.apply(params.attention, read);
    const attended = placement === "both" ? parts.norm.apply(params.attentionOutNorm!, added) : added;
    const sum = add(add(x, attended), learned.apply(params.laurel!, read));
    expect(layer.apply(params, x).data).toEqual(mul(sum, Math.SQRT1_2).data);
  }
});

test("a layer without attention or pre-norm refuses LAuReL", () => {
  const tokens = feedForward({ embedDim: 8, hiddenDim: 12 });
  expect(() => transformerLayer({ feedForward: tokens, norm: parts.norm, laurel: learned })).toThrow(
    /transformerLayer: `laurel` .*expected none without attention/,
  );
  expect(() => transformerLayer({ ...parts, placement: "post", laurel: learned })).toThrow(/`laurel`/);
  expect(() => transformerLayer({ ...parts, laurel: 3 as never })).toThrow(/`laurel` is 3, expected a layer/);
  const layer = transformerLayer({ ...parts, laurel: learned });
  const { laurel: _, ...without } = layer.init(1);
  expect(() => layer.apply(without as never, x)).toThrow(/`params.laurel` is undefined/);
});

test("the traced output is that after `finish`", () => {
  const layer = transformerLayer(parts);
  const params = layer.init(1);
  const tensors = {};
  const finished = layer.apply(params, x, {
    finish: (y) => mul(y, 2),
    trace: { names: ["output"], tensors },
  });
  expect(finished.data).toEqual(mul(layer.apply(params, x), 2).data);
  expect(tensors).toHaveProperty("output");
  expect((tensors as { output: typeof x }).output.data).toEqual(finished.data);
  expect(() => layer.apply(params, x, { finish: 2 as never })).toThrow(/`finish` is 2, expected a function/);
});
