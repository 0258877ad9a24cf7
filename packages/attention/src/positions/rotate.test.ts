import {
  checkGradient,
  contiguous,
  count,
  mul,
  permute,
  randn,
  sum,
  tensor,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { rotate } from "./rotate.js";

const layout = fc.constantFrom("half", "interleaved");

/** Angles for T positions of P pairs, common to the batch or one table per sequence: cosines and sines. */
function angles(shape: readonly number[], seed: number): { cos: Tensor; sin: Tensor } {
  const radians = randn(shape, { seed, dtype: "float64" }).data;
  const of = (f: (x: number) => number) => tensor(Float64Array.from(radians, f), { shape });
  return { cos: of(Math.cos), sin: of(Math.sin) };
}

const sizes = fc.record({
  B: fc.integer({ min: 1, max: 2 }),
  T: fc.integer({ min: 1, max: 3 }),
  pairs: fc.nat(3),
  rest: fc.nat(2),
  seed: fc.nat(1000),
  perBatch: fc.boolean(),
});

test("property: rotation preserves the norm of pairs, leaves other numbers unchanged, and is undone by its inverse", () => {
  fc.assert(
    fc.property(sizes, layout, ({ B, T, pairs, rest, seed, perBatch }, layout) => {
      const D = 2 * pairs + rest;
      const x = randn([B, 2, T, D], { seed, dtype: "float64" });
      const { cos, sin } = angles(perBatch ? [B, T, pairs] : [T, pairs], seed + 1);
      const rotated = rotate(x, cos, sin, { layout });
      for (let row = 0; row < x.data.length; row += D) {
        for (let i = 0; i < pairs; i++) {
          const [a, b] = layout === "half" ? [i, i + pairs] : [2 * i, 2 * i + 1];
          const norm = ({ data }: Tensor) => Math.hypot(data[row + a]!, data[row + b]!);
          expect(norm(rotated)).toBeCloseTo(norm(x), 12);
        }
        const tail = ({ data }: Tensor) => data.subarray(row + 2 * pairs, row + D);
        expect(tail(rotated)).toEqual(tail(x));
      }
      const back = rotate(rotated, cos, mul(sin, -1), { layout }).data;
      expect(back).toBeAllclose(x.data, { rtol: 0, atol: 5e-13 });
    }),
  );
});

test("the gradient equals central differences", () => {
  for (const layout of ["half", "interleaved"] as const) {
    const x = randn([2, 1, 2, 5], { seed: 1, dtype: "float64" });
    const dy = randn([2, 1, 2, 5], { seed: 2, dtype: "float64" });
    const { cos, sin } = angles([2, 2, 2], 3);
    checkGradient((x) => sum(mul(rotate(x, cos, sin, { layout }), dy)), x);
  }
});

test("golden: a rotation by 90 degrees, in both layouts; the last number is not rotated", () => {
  const x = tensor([1, 2, 3, 4, 5], { shape: [1, 1, 1, 5] });
  const [cos, sin] = [tensor([[0, 1]]), tensor([[1, 0]])]; // the first pair is rotated by 90 degrees, the second by 0
  expect([...rotate(x, cos, sin).data]).toEqual([-3, 2, 1, 4, 5]);
  expect([...rotate(x, cos, sin, { layout: "half" }).data]).toEqual([-3, 2, 1, 4, 5]);
  expect([...rotate(x, cos, sin, { layout: "interleaved" }).data]).toEqual([-2, 1, 3, 4, 5]);
});

test("strided views are read in place, and a table `[T, r/2]` applies to all sequences", () => {
  const x = randn([2, 3, 4, 6], { seed: 1, dtype: "float64" });
  const stored = permute(contiguous(permute(x, [3, 2, 0, 1])), [2, 3, 1, 0]);
  const { cos, sin } = angles([1, 4, 2], 2);
  const [cosT, sinT] = [cos, sin].map((table) => permute(contiguous(permute(table, [2, 0, 1])), [1, 2, 0]));
  const packed = rotate(x, cos, sin).data;
  expect(rotate(stored, cosT!, sinT!).data).toEqual(packed);
  const flat = ({ data }: Tensor) => tensor(data, { shape: [4, 2] });
  expect(rotate(x, flat(cos), flat(sin)).data).toEqual(packed);
});

test("angles of a wrong shape are refused with their name", () => {
  const x = zeros([2, 1, 3, 4]);
  const fits = zeros([3, 2]);
  for (const shape of [[2, 2], [3, 3], [3, 3, 2], [1, 1, 3, 2], [2]]) {
    expect(() => rotate(x, zeros(shape), fits)).toThrow(
      /rotate: `cos` has shape .*, expected float32 \[T, r\/2\] or \[B, T, r\/2\] .* is \[2, 1, 3, 4\].\nFix: give one row of angles/,
    );
    expect(() => rotate(x, fits, zeros(shape))).toThrow(/rotate: `sin` has shape/);
  }
  expect(() => rotate(x, fits, zeros([3, 1]))).toThrow(/rotate: `sin` has shape \[3, 1\]/);
  expect(() => rotate(x, zeros([3, 2], { dtype: "float64" }), fits)).toThrow(/`cos` is "float64"/);
  expect(() => rotate(zeros([3, 4]), fits, fits)).toThrow(/rotate: `x` has shape \[3, 4\]/);
  expect(() => rotate(x, fits, fits, { layout: "neox" as "half" })).toThrow(/`layout` is "neox"/);
  expect(() => rotate([1] as never, fits, fits)).toThrow(/rotate: `x` is \[1\], expected a tensor/);
});

test("six FLOPs are counted per rotated pair, and none for other numbers", () => {
  const { flops } = count(() => rotate(zeros([2, 3, 5, 8]), zeros([5, 2]), zeros([5, 2])));
  expect(flops).toBe(6 * 2 * 3 * 5 * 2);
});
