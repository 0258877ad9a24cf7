import {
  add,
  checkGradient,
  mul,
  permute,
  randn,
  reshape,
  sum,
  tensor,
  zeros,
  linear,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { multiHead } from "../heads/multi-head.js";
import { rope } from "./rope.js";
import { halfToInterleaved, interleavedToHalf } from "./rotary-layouts.js";

const sizes = fc.record({
  half: fc.integer({ min: 1, max: 3 }),
  rest: fc.nat(2),
  numHeads: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(1000),
});

test("property: converting the weights together with the layout does not change attention, biases included", () => {
  fc.assert(
    fc.property(sizes, ({ half, rest, numHeads: H, seed }) => {
      const [C, T, rotaryDim, headDim] = [5, 4, 2 * half, 2 * half + rest];
      const make = (shape: number[], n: number) => randn(shape, { seed: seed + n, dtype: "float64" });
      const x = make([1, T, C], 0);
      const [query, key] = [make([H * headDim, C], 1), make([H * headDim, C], 2)];
      const [queryBias, keyBias] = [make([H * headDim], 3), make([H * headDim], 4)];
      const value = make([1, H, T, 2], 5);
      const run = (layout: "half" | "interleaved", weights: readonly Tensor[]) => {
        const { apply } = rope({ headDim, rotaryDim, layout });
        const [q, k] = [0, 1].map((n) => {
          const projected = add(linear(x, weights[n]!), weights[n + 2]!);
          return apply(permute(reshape(projected, [1, T, H, headDim]), [0, 2, 1, 3]), { start: 3 });
        }) as [Tensor, Tensor];
        return attention(q, k, value).data;
      };
      const weights = [query, key, queryBias, keyBias];
      const heads = { headDim, rotaryDim };
      const pairs = [
        [
          run("interleaved", weights),
          run(
            "half",
            weights.map((w) => interleavedToHalf(w, heads)),
          ),
        ],
        [
          run("half", weights),
          run(
            "interleaved",
            weights.map((w) => halfToInterleaved(w, heads)),
          ),
        ],
      ] as const;
      for (const [before, after] of pairs) expect(after).toBeAllclose(before, { rtol: 0, atol: 5e-13 });
    }),
  );
});

test("property: both conversions are inverse to each other, and rows that are not rotated are unchanged", () => {
  fc.assert(
    fc.property(sizes, ({ half, rest, numHeads, seed }) => {
      const [rotaryDim, headDim] = [2 * half, 2 * half + rest];
      const weight = randn([numHeads * headDim, 3], { seed });
      const heads = { headDim, rotaryDim };
      expect(interleavedToHalf(halfToInterleaved(weight, heads), heads).data).toEqual(weight.data);
      expect(halfToInterleaved(interleavedToHalf(weight, heads), heads).data).toEqual(weight.data);
      const moved = halfToInterleaved(weight, heads);
      for (let row = 0; row < numHeads * headDim; row++) {
        if (row % headDim < rotaryDim) continue;
        const of = ({ data }: Tensor) => data.slice(3 * row, 3 * row + 3);
        expect(of(moved)).toEqual(of(weight));
      }
    }),
  );
});

test("golden: two heads of six", () => {
  const rows = tensor([0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]);
  expect([...interleavedToHalf(rows, { headDim: 6 }).data]).toEqual([
    0, 2, 4, 1, 3, 5, 10, 12, 14, 11, 13, 15,
  ]);
  expect([...halfToInterleaved(rows, { headDim: 6 }).data]).toEqual([
    0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15,
  ]);
});

test("a converted layer has the same output, and gradients flow through the conversion", () => {
  const layer = (layout: "half" | "interleaved") =>
    multiHead({ embedDim: 8, numHeads: 2, rope: rope({ headDim: 4, layout }) });
  const params = layer("interleaved").init(1);
  const moved = {
    ...params,
    query: { weight: interleavedToHalf(params.query.weight, { headDim: 4 }) },
    key: { weight: interleavedToHalf(params.key.weight, { headDim: 4 }) },
  };
  const x = randn([1, 3, 8], { seed: 2 });
  const expected = layer("interleaved").apply(params, x).data;
  expect(layer("half").apply(moved, x).data).toBeAllclose(expected, { rtol: 0, atol: 5e-7 });
  const [weight, dy] = [1, 2].map((seed) => randn([8, 3], { seed, dtype: "float64" })) as [Tensor, Tensor];
  checkGradient((weight) => sum(mul(interleavedToHalf(weight, { headDim: 4 }), dy)), weight);
});

test("rows that do not divide into heads are refused, with the fix", () => {
  expect(() => halfToInterleaved(zeros([6, 2]), { headDim: 4 })).toThrow(
    /halfToInterleaved: `weight` has shape \[6, 2\], expected \[H · 4, …\], as headDim is 4.\nFix: give the projection/,
  );
  expect(() => interleavedToHalf(zeros([6]), { headDim: 3 })).toThrow(/interleavedToHalf: `headDim` is 3/);
  expect(() => interleavedToHalf(zeros([8]), { headDim: 4, rotaryDim: 6 })).toThrow(/`rotaryDim` is 6/);
  expect(() => interleavedToHalf(zeros([]), { headDim: 4 })).toThrow(/`weight` has shape \[\]/);
});
