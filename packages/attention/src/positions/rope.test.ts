import { matmul, randn, slice, take, tensor, transpose, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { attentionWeights } from "../attention.js";
import type { Positions } from "./places-of.js";
import { rope, type RopeOptions } from "./rope.js";

const layout = fc.constantFrom("half", "interleaved");
const place = fc.integer({ min: 0, max: 5000 });
const seed = fc.nat(1000);
const headDim = fc.integer({ min: 1, max: 4 }).map((half) => 2 * half);
const base = fc.constantFrom(10, 10000, 500000);

const dot = (a: Tensor, b: Tensor) => matmul(a, transpose(b)).data[0]!;

test("property: a score depends only on the distance between query and key", () => {
  fc.assert(
    fc.property(
      headDim,
      layout,
      base,
      place,
      place,
      place,
      seed,
      (headDim, layout, base, i, j, shift, seed) => {
        const { apply } = rope({ headDim, layout, base });
        const [q, k] = [0, 1].map((n) => randn([1, 1, 1, headDim], { seed: seed + n, dtype: "float64" })) as [
          Tensor,
          Tensor,
        ];
        const score = (i: number, j: number) => dot(apply(q, { start: i }), apply(k, { start: j }));
        expect(score(i + shift, j + shift)).toBeCloseTo(score(i, j), 10);
      },
    ),
  );
  // It does depend on that.
  const x = randn([1, 1, 1, 4], { seed: 1 });
  const { apply } = rope({ headDim: 4 });
  expect(dot(apply(x, { start: 3 }), apply(x, { start: 0 }))).not.toBeCloseTo(dot(x, x), 2);
});

test("property: a rotation preserves the norm, and position 0 is not rotated", () => {
  fc.assert(
    fc.property(headDim, layout, place, seed, (headDim, layout, start, seed) => {
      const x = randn([2, 3, 2, headDim], { seed, dtype: "float64" });
      const { apply } = rope({ headDim, layout });
      const rotated = apply(x, { start });
      for (let row = 0; row < x.data.length; row += headDim) {
        const norm = ({ data }: Tensor) => Math.hypot(...data.subarray(row, row + headDim));
        expect(norm(rotated)).toBeCloseTo(norm(x), 12);
      }
      const first = slice(x, 2, 0, 1);
      expect(apply(first, { start: 0 }).data).toEqual(first.data);
    }),
  );
});

test("property: both layouts give the same after a permutation of the numbers of a head", () => {
  fc.assert(
    fc.property(headDim, place, seed, (headDim, start, seed) => {
      // Number 2i of the interleaved layout is number i of the other, 2i + 1 is i + headDim / 2.
      const places = Array.from({ length: headDim }, (_, n) =>
        n < headDim / 2 ? 2 * n : 2 * n + 1 - headDim,
      );
      const permuted = (x: Tensor) => take(x, 3, tensor(places, { dtype: "int32" }));
      const [q, k] = [0, 1].map((n) => randn([1, 2, 3, headDim], { seed: seed + n })) as [Tensor, Tensor];
      const rotated = (layout: "half" | "interleaved", x: Tensor) =>
        rope({ headDim, layout }).apply(x, { start });
      expect(rotated("half", permuted(q)).data).toEqual(permuted(rotated("interleaved", q)).data);
      const scores = attentionWeights(rotated("interleaved", q), rotated("interleaved", k)).data;
      expect(attentionWeights(rotated("half", permuted(q)), rotated("half", permuted(k))).data).toBeAllclose(
        scores,
        { rtol: 0, atol: 5e-7 },
      );
    }),
  );
});

test("property: partial rotation equals that of a head of size rotaryDim, and the other numbers are unchanged", () => {
  fc.assert(
    fc.property(headDim, fc.nat(4), layout, place, seed, (rotaryDim, rest, layout, start, seed) => {
      const headDim = rotaryDim + rest;
      const x = randn([1, 2, 3, headDim], { seed });
      const rotated = rope({ headDim, rotaryDim, layout }).apply(x, { start });
      const part = rope({ headDim: rotaryDim, layout }).apply(slice(x, 3, 0, rotaryDim), { start });
      expect(slice(rotated, 3, 0, rotaryDim).data).toEqual(part.data);
      expect(slice(rotated, 3, rotaryDim).data).toEqual(slice(x, 3, rotaryDim).data);
    }),
  );
});

test("positions: a start, a list, or a list per sequence", () => {
  const x = randn([2, 1, 3, 4], { seed: 1 });
  const { apply } = rope({ headDim: 4 });
  expect(apply(x, Int32Array.of(5, 6, 7)).data).toEqual(apply(x, { start: 5 }).data);
  const each = apply(x, Int32Array.of(0, 1, 2, 9, 3, 9));
  for (const [b, positions] of [
    [0, [0, 1, 2]],
    [1, [9, 3, 9]],
  ] as const) {
    const own = apply(slice(x, 0, b, b + 1), Int32Array.from(positions));
    expect(slice(each, 0, b, b + 1).data).toEqual(own.data);
  }
});

test("golden: two pairs at position 3, the second with a hundredth of the frequency", () => {
  const x = tensor([1, 1, 0, 0], { shape: [1, 1, 1, 4], dtype: "float64" });
  const atPosition3 = (options: Omit<RopeOptions, "headDim">, x: Tensor) => [
    ...rope({ headDim: 4, ...options }).apply(x, { start: 3 }).data,
  ];
  const expected = [Math.cos(3), Math.cos(0.03), Math.sin(3), Math.sin(0.03)];
  expect(atPosition3({}, x)).toBeAllclose(expected, { rtol: 0, atol: 5e-15 });
  // With base 100 the second pair is 10 times slower.
  expect(atPosition3({ base: 100 }, x)).toBeAllclose(
    [Math.cos(3), Math.cos(0.3), Math.sin(3), Math.sin(0.3)],
    { rtol: 0, atol: 5e-15 },
  );
  const paired = atPosition3(
    { layout: "interleaved" },
    tensor([1, 0, 1, 0], { shape: [1, 1, 1, 4], dtype: "float64" }),
  );
  expect(paired).toBeAllclose([expected[0]!, expected[2]!, expected[1]!, expected[3]!], {
    rtol: 0,
    atol: 5e-15,
  });
});

test("angles are exact at large positions", () => {
  const x = tensor([1, 0], { shape: [1, 1, 1, 2] });
  expect(rope({ headDim: 2 }).apply(x, { start: 1_000_003 }).data[0]).toBe(Math.fround(Math.cos(1_000_003)));
});

test("the name is the call that created it", () => {
  expect(rope({ headDim: 8 }).name).toBe('rope({ headDim: 8, base: 10000, layout: "half" })');
  expect(rope({ headDim: 8, rotaryDim: 4 }).name).toBe(
    'rope({ headDim: 8, base: 10000, layout: "half", rotaryDim: 4 })',
  );
});

test("odd sizes, invalid bases and positions of wrong lengths are refused, with the fix", () => {
  expect(() => rope({ headDim: 5 })).toThrow(
    /rope: `headDim` is 5, expected an even number from 0 to headDim = 5.\nFix: RoPE rotates pairs of numbers/,
  );
  for (const rotaryDim of [3, 10, -2, 2.5]) {
    expect(() => rope({ headDim: 8, rotaryDim })).toThrow(
      /`rotaryDim` is .*, expected an even number from 0 to headDim = 8/,
    );
  }
  for (const base of [0, -1, NaN, Infinity]) {
    expect(() => rope({ headDim: 8, base })).toThrow(/`base` is .*, expected a finite number, above 0/);
  }
  const x = randn([2, 1, 3, 8], { seed: 1 });
  for (const count of [0, 2, 4, 12]) {
    expect(() => rope({ headDim: 8 }).apply(x, new Int32Array(count))).toThrow(
      /`positions` is ".* positions", expected T = 3 of them, or B · T = 6.\nFix: give each token its place/,
    );
  }
  for (const headDim of [4, 16]) {
    expect(() => rope({ headDim, rotaryDim: 2 }).apply(x, { start: 0 })).toThrow(
      new RegExp(
        `rope: \`x\` has shape \\[2, 1, 3, 8\\], expected \\[B, H, T, ${headDim}\\], as headDim is ${headDim}`,
      ),
    );
  }
});

test("earlier calls do not change the result of an embedding", () => {
  const again = rope({ headDim: 8 });
  const calls: [shape: number[], positions: Positions, dtype: "float32" | "float64"][] = [
    [[1, 2, 3, 8], { start: 0 }, "float32"],
    [[1, 2, 3, 8], { start: 1 }, "float32"],
    [[1, 2, 1, 8], { start: 1 }, "float32"],
    [[1, 2, 1, 8], { start: 1 }, "float64"],
    [[1, 2, 1, 8], Int32Array.of(5), "float64"],
    [[2, 2, 1, 8], Int32Array.of(5, 9), "float64"],
    [[2, 2, 1, 8], { start: 1 }, "float64"],
  ];
  for (const [shape, positions, dtype] of calls) {
    const x = randn(shape, { seed: 1, dtype });
    expect(again.apply(x, positions).data).toEqual(rope({ headDim: 8 }).apply(x, positions).data);
    expect(again.apply(x, positions).data).toEqual(rope({ headDim: 8 }).apply(x, positions).data);
  }
});
