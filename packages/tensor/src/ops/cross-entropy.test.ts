import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { checkGradient } from "../check-gradient.js";
import { tensor, zeros } from "../create.js";
import { grad } from "../grad.js";
import { crossEntropy } from "./cross-entropy.js";
import { logSoftmax } from "./log-softmax.js";
import { mul } from "./mul.js";
import { permute } from "./permute.js";
import { sum } from "./sum.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";

const random = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const ids = (values: number[] | number[][]) => tensor(values, { dtype: "int32" });

test("property: crossEntropy equals its definition by logSoftmax", () => {
  const target = fc.integer({ min: -1, max: 3 });
  const targets = fc.array(target, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      targets,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer(),
      (targets, smoothing, seed) => {
        const logits = random([targets.length, 4], seed);
        const logs = logSoftmax(logits).data as Float64Array;
        const expected = targets.map((target, row) => {
          const own = logs.slice(row * 4, row * 4 + 4);
          const even = own.reduce((a, b) => a + b, 0) / 4;
          return target === -1 ? 0 : -(1 - smoothing) * own[target]! - smoothing * even;
        });
        const options = { ignoreIndex: -1, labelSmoothing: smoothing };
        const each = crossEntropy(logits, ids(targets), { ...options, reduction: "none" });
        expect(each.data).toBeAllclose(expected, { rtol: 0, atol: 5e-11 });
        const total = expected.reduce((a, b) => a + b, 0);
        const counted = targets.filter((target) => target !== -1).length;
        expect(crossEntropy(logits, ids(targets), { ...options, reduction: "sum" }).data[0]).toBeCloseTo(
          total,
          9,
        );
        const mean = crossEntropy(logits, ids(targets), options).data[0]!;
        if (counted > 0) expect(mean).toBeCloseTo(total / counted, 9);
        else expect(mean).toBeNaN();
      },
    ),
  );
});

test("golden: equal logits have the loss log V, and one large logit the loss 0 or the difference to it", () => {
  expect(crossEntropy(zeros([2, 3, 8]), zeros([2, 3], { dtype: "int32" })).toNested()).toBe(
    Math.fround(Math.log(8)),
  );
  expect(crossEntropy(tensor([[0, 5000]]), ids([1])).toNested()).toBe(0);
  expect(crossEntropy(tensor([[0, 5000]]), ids([0])).toNested()).toBe(5000);
  // Log-probabilities [-1000, 0], wanted [0.25, 0.75].
  expect(crossEntropy(tensor([[0, 1000]]), ids([1]), { labelSmoothing: 0.5 }).toNested()).toBe(250);
});

test("strided logits give the same as contiguous ones", () => {
  const x = random([4, 3, 2]);
  const view = permute(x, [2, 1, 0]);
  const packed = tensor(view.data, { shape: [2, 3, 4] });
  const targets = ids([
    [0, 1, 2],
    [3, 0, -100],
  ]);
  expect(crossEntropy(view, targets).toNested()).toBe(crossEntropy(packed, targets).toNested());
});

test("first and second gradients equal central differences", () => {
  const targets = ids([1, -100, 0]);
  for (const reduction of ["mean", "sum"] as const) {
    const f = (x: Tensor) => crossEntropy(x, targets, { labelSmoothing: 0.1, reduction });
    expect(() => checkGradient(f, random([3, 4]))).not.toThrow();
  }
  const each = (x: Tensor) => sum(mul(crossEntropy(x, targets, { reduction: "none" }), random([3], 9)));
  expect(() => checkGradient(each, random([3, 4]))).not.toThrow();
  // Of squares, what arrives at the losses depends on them.
  const squares = (x: Tensor) => {
    const losses = crossEntropy(x, targets, { reduction: "none", labelSmoothing: 0.2 });
    return sum(mul(losses, losses));
  };
  for (const f of [each, squares]) {
    const slope = (x: Tensor) => sum(mul(grad(f)(x), random([3, 4], 8)));
    expect(() => checkGradient(slope, random([3, 4]))).not.toThrow();
  }
});

test("invalid arguments are refused, with the fix", () => {
  const logits = zeros([2, 4]);
  expect(() => crossEntropy(logits, ids([0, 4]))).toThrow(
    /`targets` is 4, expected classes from 0 to 3, or -100.*\nFix: check that the tokenizer/,
  );
  expect(() => crossEntropy(logits, ids([0]))).toThrow(/`targets` is "int32 \[1\]", expected int32 \[2\]/);
  expect(() => crossEntropy(zeros([]), ids([]))).toThrow(/`logits` has shape \[\], expected \[…, classes\]/);
  expect(() => crossEntropy(logits, zeros([2]))).toThrow(/`targets` is "float32 \[2\]"/);
  expect(() => crossEntropy(logits, ids([0, 1]), { labelSmoothing: 2 })).toThrow(/`labelSmoothing` is 2/);
  const reduction = "all" as unknown as "sum";
  expect(() => crossEntropy(logits, ids([0, 1]), { reduction })).toThrow(/`reduction` is "all"/);
});
