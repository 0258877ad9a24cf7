import { expect, test } from "vitest";
import { count } from "./count.js";
import { tensor, zeros } from "./create.js";
import { grad } from "./grad.js";
import { add } from "./ops/add.js";
import { argSort } from "./ops/arg-sort.js";
import { gather } from "./ops/gather.js";
import { matmul } from "./ops/matmul.js";
import { mul } from "./ops/mul.js";
import { sum } from "./ops/sum.js";
import { transpose } from "./ops/transpose.js";
import type { Tensor } from "./tensor.js";

test("counts operations, bytes and calls from the shapes that ran", () => {
  const { result, ...counts } = count(() => {
    const y = add(mul(zeros([2, 3]), zeros([3])), 1); // 6 and 6
    return sum(transpose(y), { axis: 0 }); // 6 in, 2 out; a view is free
  });
  expect(result.shape).toEqual([2]);
  expect(counts).toEqual({
    flops: 18,
    bytesRead: 4 * (6 + 3 + 6 + 1 + 6),
    bytesWritten: 4 * (6 + 6 + 2),
    calls: { mul: 1, add: 1, sum: 1 },
  });
});

test("matmul counts a multiplication and an addition per product, for any batch and dtype", () => {
  const { flops, bytesRead, bytesWritten } = count(() =>
    matmul(zeros([5, 2, 3], { dtype: "float64" }), zeros([5, 3, 4], { dtype: "float64" })),
  );
  expect([flops, bytesRead, bytesWritten]).toEqual([5 * 2 * 2 * 3 * 4, 8 * 5 * (6 + 12), 8 * 5 * 8]);
});

test("copies count bytes and no FLOPs", () => {
  const ids = tensor([1, 0], { dtype: "int32" });
  const { flops, bytesRead, calls } = count(() => gather(zeros([3]), 0, ids));
  expect([flops, bytesRead, calls.gather]).toEqual([0, 20, 1]);
});

test("operations of backward passes are counted, counts may be nested, and nothing is counted afterwards", () => {
  const x = tensor([3, 1, 2]);
  const outer = count(() => {
    const inner = count(() => gather(x, 0, argSort(x)));
    expect(inner.calls).toEqual({ argSort: 1, gather: 1 });
    grad((z: Tensor) => sum(mul(z, z)))(x);
  });
  expect(outer.calls.mul).toBe(3);
  expect(outer.calls.gather).toBe(1);
  add(x, 1);
  expect(outer.calls.add ?? 0).toBe(1); // where both gradients of z meet
});

test("an error inside of the counted function ends the count", () => {
  expect(() => count(() => add(zeros([2]), zeros([3])))).toThrow(/add: `b`/);
  expect(count(() => add(zeros([2]), 1)).calls).toEqual({ add: 1 });
});
