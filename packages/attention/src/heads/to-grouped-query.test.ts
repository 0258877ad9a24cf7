import {
  cast,
  checkGradient,
  mapTensors,
  mul,
  randn,
  sum,
  take,
  tensor,
  tensorsOf,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { groupedQuery, type LinearParams } from "./grouped-query.js";
import { multiHead } from "./multi-head.js";
import { toGroupedQuery } from "./to-grouped-query.js";
import { causal } from "../masks/causal.js";

const seed = fc.nat(1000);
const divisors = fc.constantFrom([4, 4], [4, 2], [4, 1], [6, 3], [6, 2]) as fc.Arbitrary<[number, number]>;
const stirred = <P>(params: P): P =>
  mapTensors(params, (x, path) => randn(x.shape, { seed: path.length + x.shape.length }));

test("property: merging equal heads does not change the output", () => {
  fc.assert(
    fc.property(divisors, seed, ([numHeads, numKvHeads], seed) => {
      const shape = { embedDim: 5, numHeads, headDim: 2, bias: true, mask: causal() };
      const [grouped, whole] = [groupedQuery({ ...shape, numKvHeads }), multiHead(shape)];
      const params = stirred(grouped.init(seed));
      const rows = Array.from({ length: numHeads * 2 }, (_, row) => {
        const kvHead = Math.floor(Math.floor(row / 2) / (numHeads / numKvHeads));
        return kvHead * 2 + (row % 2);
      });
      const repeated = ({ weight, bias }: LinearParams): LinearParams => {
        const indices = tensor(rows, { dtype: "int32" });
        return { weight: take(weight, 0, indices), bias: take(bias!, 0, indices) };
      };
      const wide = { ...params, key: repeated(params.key), value: repeated(params.value) };
      const back = toGroupedQuery(wide, { numHeads, numKvHeads });
      const x = randn([1, 4, 5], { seed });
      const expected = whole.apply(wide, x).data;
      expect(grouped.apply(back, x).data).toBeAllclose(expected, { rtol: 0, atol: 5e-6 });
    }),
  );
});

test("property: the same number of heads changes nothing, bit for bit, and merging in two steps equals one step", () => {
  fc.assert(
    fc.property(seed, (seed) => {
      const params = stirred(multiHead({ embedDim: 8, numHeads: 4, bias: true }).init(seed));
      const numbers = (p: unknown) => tensorsOf(p).map(({ shape, data }) => [shape, ...data]);
      expect(numbers(toGroupedQuery(params, { numHeads: 4, numKvHeads: 4 }))).toEqual(numbers(params));
      const twice = toGroupedQuery(toGroupedQuery(params, { numHeads: 4, numKvHeads: 2 }), {
        numHeads: 4,
        numKvHeads: 1,
      });
      const once = tensorsOf(toGroupedQuery(params, { numHeads: 4, numKvHeads: 1 }));
      tensorsOf(twice).forEach(({ shape, data }, n) => {
        expect(shape).toEqual(once[n]!.shape);
        expect(data).toBeAllclose(once[n]!.data, { rtol: 0, atol: 5e-7 });
      });
    }),
  );
});

test("golden: adjacent heads are merged, not every second one", () => {
  const column = tensor([[1], [3], [10], [30]]); // four heads of one number
  const params = {
    query: { weight: column },
    key: { weight: column, bias: tensor([0, 2, 4, 8]) },
    value: { weight: column },
    output: { weight: tensor([[1, 1, 1, 1]]) },
  };
  const { query, key, value } = toGroupedQuery(params, { numHeads: 4, numKvHeads: 2 });
  expect(key.weight.toNested()).toEqual([[2], [20]]);
  expect(key.bias!.toNested()).toEqual([1, 6]);
  expect(value.weight.toNested()).toEqual([[2], [20]]);
  expect(query.weight).toBe(column);
});

test("each merged head receives an equal share of the gradient", () => {
  const f64 = (x: Tensor) => cast(x, "float64");
  const params = mapTensors(multiHead({ embedDim: 4, numHeads: 2 }).init(1), f64);
  const layer = groupedQuery({ embedDim: 4, numHeads: 2, numKvHeads: 1 });
  const [x, dy] = [f64(randn([1, 2, 4], { seed: 1 })), f64(randn([1, 2, 4], { seed: 2 }))];
  const config = { numHeads: 2, numKvHeads: 1 };
  checkGradient((p) => sum(mul(layer.apply(toGroupedQuery(p, config), x), dy)), params);
});

test("numbers of heads that do not divide are refused with the fix", () => {
  const params = multiHead({ embedDim: 8, numHeads: 4 }).init(1);
  expect(() => toGroupedQuery(params, { numHeads: 4, numKvHeads: 3 })).toThrow(
    /toGroupedQuery: `numKvHeads` is 3, expected a divisor of the 4 key-value heads.*\nFix: join as many/,
  );
  expect(() => toGroupedQuery(params, { numHeads: 3, numKvHeads: 1 })).toThrow(
    /toGroupedQuery: `numHeads` is 3, expected the number of query heads, of which the layer has 8 rows/,
  );
});
