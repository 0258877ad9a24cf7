import { checkGradient, matmul, mul, randn, slice, sum, tensor, transpose, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { rope } from "./rope.js";
import { xpos } from "./xpos.js";

const place = fc.integer({ min: 0, max: 2000 });
const layout = fc.constantFrom("half", "interleaved");
const one = (seed: number, headDim = 8) => randn([1, 1, 1, headDim], { seed, dtype: "float64" });
const dot = (a: Tensor, b: Tensor) => matmul(a, transpose(b)).data[0]!;

test("property: a score depends only on the distance, and has no decay at distance 0", () => {
  fc.assert(
    fc.property(layout, place, place, fc.nat(500), fc.nat(1000), (layout, i, j, shift, seed) => {
      const { query, key } = xpos({ headDim: 8, layout });
      const [q, k] = [one(seed), one(seed + 1)];
      const score = (i: number, j: number) => dot(query.apply(q, { start: i }), key.apply(k, { start: j }));
      const near = score(i, j);
      expect(score(i + shift, j + shift) / Math.max(1, Math.abs(near))).toBeCloseTo(
        near / Math.max(1, Math.abs(near)),
        9,
      );
      expect(score(i, i)).toBeCloseTo(dot(q, k), 9);
    }),
  );
});

test("property: the part of each pair in a score is that of rope times ζ^(distance / scaleBase)", () => {
  fc.assert(
    fc.property(place, fc.nat(1500), fc.nat(3), (j, distance, pair) => {
      const { query, key } = xpos({ headDim: 8, layout: "interleaved", scaleBase: 256 });
      const plain = rope({ headDim: 8, layout: "interleaved" });
      const only = (x: Tensor) =>
        tensor(
          Array.from(x.data, (number, n) => (Math.floor(n / 2) === pair ? number : 0)),
          { shape: x.shape, dtype: "float64" },
        );
      const [q, k] = [only(one(1)), only(one(2))];
      const i = j + distance;
      const faded = ((2 * pair + 0.4 * 8) / (1.4 * 8)) ** (distance / 256);
      const unfaded = dot(plain.apply(q, { start: i }), plain.apply(k, { start: j }));
      expect(dot(query.apply(q, { start: i }), key.apply(k, { start: j }))).toBeCloseTo(faded * unfaded, 10);
    }),
  );
});

test("golden: the factors of the pairs of a head of size 4", () => {
  // ζ = (0 + 1.6) / 5.6 and (2 + 1.6) / 5.6; at position 512 their power is 1.
  const x = tensor([1, 0, 1, 0], { shape: [1, 1, 1, 4], dtype: "float64" });
  const { query, key } = xpos({ headDim: 4, layout: "interleaved" });
  const norm = ({ data }: Tensor, pair: number) => Math.hypot(data[2 * pair]!, data[2 * pair + 1]!);
  const [rotated, keyed] = [query.apply(x, { start: 512 }), key.apply(x, { start: 512 })];
  expect([norm(rotated, 0), norm(rotated, 1)]).toEqual([
    expect.closeTo(1.6 / 5.6, 14),
    expect.closeTo(3.6 / 5.6, 14),
  ]);
  expect(norm(keyed, 0)).toBeCloseTo(5.6 / 1.6, 12);
});

test("a partial rotation in float32, positions per sequence, and gradients", () => {
  const { query, key } = xpos({ headDim: 8, rotaryDim: 4 });
  const x = randn([2, 1, 2, 8], { seed: 1 });
  const rotated = query.apply(x, Int32Array.of(0, 1, 7, 9));
  expect(rotated.dtype).toBe("float32");
  expect(slice(rotated, 3, 4).data).toEqual(slice(x, 3, 4).data);
  expect(slice(rotated, 0, 0, 1).data).toEqual(query.apply(slice(x, 0, 0, 1), { start: 0 }).data);
  const [wide, dy] = [1, 2].map((seed) => randn([1, 2, 2, 8], { seed, dtype: "float64" })) as [
    Tensor,
    Tensor,
  ];
  for (const { apply } of [query, key]) checkGradient((x) => sum(mul(apply(x, { start: 300 }), dy)), wide);
});

test("the name is the call that created it, and invalid sizes are refused", () => {
  expect(xpos({ headDim: 4 }).key.name).toBe(
    'xpos({ headDim: 4, base: 10000, scaleBase: 512, layout: "half" }).key',
  );
  expect(() => xpos({ headDim: 5 })).toThrow(/xpos: `headDim` is 5, expected an even number/);
  expect(() => xpos({ headDim: 4, base: 0 })).toThrow(/xpos: `base` is 0/);
  expect(() => xpos({ headDim: 4, scaleBase: 0 })).toThrow(/xpos: `scaleBase` is 0/);
  expect(() => xpos({ headDim: 4 }).query.apply(one(1), { start: 0 })).toThrow(
    /xpos: `x` has shape \[1, 1, 1, 8\], expected \[B, H, T, 4\].*\nFix: make the xpos with the head dimension/,
  );
});
