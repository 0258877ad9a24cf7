import { cast, checkGradient, mul, randn, sum, tensor, zeros, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { learnedPositions } from "./learned-positions.js";

const layer = learnedPositions({ length: 8, embedDim: 4 });

test("property: the vector of its position is added to each token, for a start, a list, or a list per sequence", () => {
  const places = fc.array(fc.nat(7), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(places, fc.nat(5), fc.constantFrom("float32", "float64"), (places, start, dtype) => {
      const weight = cast(layer.init(1).weight, dtype);
      const x = randn([2, 3, 4], { seed: 2, dtype });
      const check = (positions: { start: number } | Int32Array, of: (b: number, t: number) => number) =>
        layer.apply({ weight }, x, { positions }).data.forEach((number, n) => {
          const [c, t, b] = [n % 4, Math.floor(n / 4) % 3, Math.floor(n / 12)];
          expect(number).toBeCloseTo(x.data[n]! + weight.data[of(b, t) * 4 + c]!, 6);
        });
      check({ start }, (_b, t) => start + t);
      check(Int32Array.from(places.slice(0, 3)), (_b, t) => places[t]!);
      check(Int32Array.from(places), (b, t) => places[3 * b + t]!);
    }),
  );
});

test("golden: a table by hand, from position 0 by default", () => {
  const weight = tensor([
    [1, 2],
    [3, 4],
  ]);
  const small = learnedPositions({ length: 2, embedDim: 2 });
  expect(small.apply({ weight }, zeros([1, 2, 2])).toNested()).toEqual([
    [
      [1, 2],
      [3, 4],
    ],
  ]);
  const data = Array.from(learnedPositions({ length: 500, embedDim: 40 }).init(3).weight.data);
  const deviation = Math.sqrt(data.reduce((total, number) => total + number * number, 0) / data.length);
  expect(deviation).toBeCloseTo(0.02, 3);
});

test("gradients reach the table and the embeddings", () => {
  const [x, weight, dy] = [
    [2, 3, 4],
    [8, 4],
    [2, 3, 4],
  ].map((shape, seed) => randn(shape, { seed, dtype: "float64" })) as [Tensor, Tensor, Tensor];
  checkGradient(
    (p) => sum(mul(layer.apply({ weight: p.weight }, p.x, { positions: Int32Array.of(1, 1, 5) }), dy)),
    { x, weight },
  );
});

test("texts beyond the table, and shapes that do not fit, are refused", () => {
  const params = layer.init(1);
  expect(() => layer.apply(params, zeros([1, 9, 4]))).toThrow(
    /learnedPositions: `positions` is 8, expected positions from 0 to 7, as length is 8.\nFix: shorten the text/,
  );
  expect(() => layer.apply(params, zeros([1, 1, 4]), { positions: { start: -1 } })).toThrow(
    /`positions` is -1/,
  );
  expect(() => layer.apply(params, zeros([1, 2, 4]), { positions: new Int32Array(3) })).toThrow(
    /`positions` is "3 positions", expected T = 2 of them, or B · T = 2/,
  );
  expect(() => layer.apply(params, zeros([1, 2, 3]))).toThrow(
    /`x` has shape \[1, 2, 3\], expected \[B, T, 4\]/,
  );
  expect(() => learnedPositions({ length: 0, embedDim: 4 })).toThrow(
    /`length` is 0, expected an integer number of/,
  );
  expect(() => learnedPositions({ length: 2, embedDim: 0.5 })).toThrow(/`embedDim` is 0.5/);
});
