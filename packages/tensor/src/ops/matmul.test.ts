import fc from "fast-check";
import { expect, test } from "vitest";
import { tensor, zeros } from "../create.js";
import { broadcastTo } from "./broadcast-to.js";
import { matmul } from "./matmul.js";
import { permute } from "./permute.js";
import { slice } from "./slice-and-pad.js";
import { transpose } from "./transpose.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";

const length = fc.integer({ min: 1, max: 9 });
const small = fc.integer({ min: 1, max: 3 });

/** A random matrix of [...batch, rows, columns] that lies in memory as one of four kinds of view does. */
function operand(batch: number[], rows: number, columns: number, kind: number, seed: number): Tensor {
  const make = (shape: number[]) => randn(shape, { seed, dtype: "float64" });
  switch (kind) {
    case 0:
      return make([...batch, rows, columns]);
    case 1:
      return transpose(make([...batch, columns, rows]));
    case 2:
      return slice(slice(make([...batch, rows + 2, columns + 1]), -2, 1, rows + 1), -1, 1);
    default: {
      const rank = batch.length + 2;
      const order = Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
      return permute(make([columns, rows, ...batch.toReversed()]), order);
    }
  }
}
const at = (x: Tensor, place: number[]) =>
  x.device.array(x.storage)[place.reduce((sum, index, axis) => sum + index * x.strides[axis]!, x.offset)]!;

test("property: matmul equals the triple loop, for strided operands and broadcast batches, bit for bit", () => {
  const kinds = fc.tuple(fc.nat(3), fc.nat(3), fc.boolean(), fc.boolean());
  fc.assert(
    fc.property(length, length, length, small, small, kinds, fc.integer(), (M, K, N, B, C, kinds, seed) => {
      const [kindA, kindB, oneB, oneC] = kinds;
      const a = operand([oneB ? 1 : B, C], M, K, kindA, seed);
      const b = operand([B, oneC ? 1 : C], K, N, kindB, seed + 1);
      const expected: number[] = [];
      for (let i = 0; i < B; i++)
        for (let j = 0; j < C; j++)
          for (let m = 0; m < M; m++)
            for (let n = 0; n < N; n++) {
              let total = 0;
              for (let k = 0; k < K; k++)
                total += at(a, [oneB ? 0 : i, j, m, k]) * at(b, [i, oneC ? 0 : j, k, n]);
              expected.push(total);
            }
      const y = matmul(a, b);
      expect(y.shape).toEqual([B, C, M, N]);
      expect([...y.data]).toEqual(expected);
    }),
  );
});

test("property: a row by itself gives the same as among others, bit for bit, in float32", () => {
  fc.assert(
    fc.property(length, fc.integer({ min: 1, max: 40 }), length, fc.integer(), (M, K, N, seed) => {
      const [a, b] = [randn([M, K], { seed }), randn([K, N], { seed: seed + 1 })];
      const all = matmul(a, b).data;
      for (let m = 0; m < M; m++) {
        expect(matmul(slice(a, 0, m, m + 1), b).data).toEqual(all.slice(m * N, (m + 1) * N));
        expect(matmul(slice(a, 0, 0, m + 1), b).data).toEqual(all.slice(0, (m + 1) * N));
      }
    }),
  );
});

test("golden: vectors, one tensor as both operands, empty sums and integers", () => {
  const [v, m] = [
    tensor([1, 2]),
    tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]),
  ];
  expect(matmul(v, v).toNested()).toBe(5);
  expect(matmul(v, m).toNested()).toEqual([9, 12, 15]);
  expect(matmul(transpose(m), v).toNested()).toEqual([9, 12, 15]);
  expect(matmul(broadcastTo(v, [3, 2]), m).toNested()).toEqual([
    [9, 12, 15],
    [9, 12, 15],
    [9, 12, 15],
  ]);
  expect(matmul(zeros([2, 0]), zeros([0, 3])).toNested()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ]);
  expect(matmul(zeros([0, 2]), m).shape).toEqual([0, 3]);
  const whole = tensor([[100, 100]], { dtype: "int8" });
  expect(matmul(whole, transpose(whole)).toNested()).toEqual([[32]]); // 20,000 wrapped
});

test("an inner dimension of 0 gives zeros", () => {
  expect(matmul(zeros([2, 3, 0]), zeros([0, 4])).data).toEqual(new Float32Array(24));
  expect(matmul(zeros([2, 0, 3]), zeros([3, 4])).shape).toEqual([2, 0, 4]);
});

test("invalid arguments are refused, with the fix", () => {
  expect(() => matmul(zeros([2, 3]), zeros([4, 5]))).toThrow(
    "matmul: `b` has shape [4, 5], expected […, 3, N] or [3], as a is [2, 3].\nFix: the last axis of a meets the last but one",
  );
  expect(() => matmul(zeros([2, 3]), zeros([4]))).toThrow(
    /`b` has shape \[4\], expected \[…, 3, N\] or \[3\]/,
  );
  expect(() => matmul(zeros([2, 3]), zeros([3], { dtype: "float64" }))).toThrow(
    /`b` is "float64", expected float32 like a/,
  );
  expect(() => matmul(zeros([]), zeros([3]))).toThrow(
    /`a` has shape \[\], expected a matrix or a vector.\nFix: use `mul`/,
  );
  expect(() => matmul(zeros([2, 1, 3]), zeros([3, 3, 4]))).toThrow(/matmul: `b` has shape \[3\]/);
});
