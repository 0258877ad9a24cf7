import {
  abs,
  broadcastTo,
  cast,
  checkGradient,
  concat,
  full,
  mapTensors,
  mul,
  randn,
  slice,
  sum,
  type Tensor,
} from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { plainCache } from "@qkv/test-support/attention-cache";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { keepFirst } from "../masks/keep-first.js";
import { or } from "../masks/or.js";
import { slidingWindow } from "../masks/sliding-window.js";
import { rope } from "../positions/rope.js";
import { groupedQuery } from "./grouped-query.js";
import { memoryKeys } from "./memory-keys.js";

const heads = { embedDim: 8, numHeads: 4, numKvHeads: 2, mask: causal(), rope: rope({ headDim: 2 }) };
const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const double = <T>(params: T): T => mapTensors(params, (x: Tensor) => cast(x, "float64")) as T;
const size = fc.integer({ min: 1, max: 5 });
const near = { rtol: 1e-10, atol: 1e-12 };

test("property: memory keys with scores of −∞ change nothing, and other memory keys do", () => {
  fc.assert(
    fc.property(size, size, fc.nat(1e6), (T, M, seed) => {
      const query = abs(make([2, 2, T, 3], seed));
      const [key, value] = [make([2, 2, T, 3], seed + 1), make([2, 2, T, 3], seed + 2)];
      const own = { key: [key], value: [value], positions: { start: 0 } };
      const read = (logit: number) => {
        const learned = {
          key: full([2, M, 3], logit, { dtype: "float64" }),
          value: make([2, M, 3], seed + 3),
        };
        return attention(query, memoryKeys(M).prepend(learned, own, 2), { mask: causal() });
      };
      const plain = attention(query, key, value, { mask: causal() });
      expect(read(-1e300)).toBeAllclose(plain, near);
      expect(read(1)).not.toBeAllclose(plain, { rtol: 1e-3 });
    }),
  );
});

test("property: it equals attention over the learned keys of each head followed by those of the tokens", () => {
  fc.assert(
    fc.property(size, size, fc.nat(1e6), (T, M, seed) => {
      const [query, key, value] = [0, 1, 2].map((n) => make([2, 4, T, 3], seed + n)) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const learned = { key: make([4, M, 3], seed + 3), value: make([4, M, 3], seed + 4) };
      const all = (x: Tensor, memory: Tensor) => concat([broadcastTo(memory, [2, 4, M, 3]), x], 2);
      const own = { key: [key], value: [value], positions: { start: 0 } };
      const mask = or(slidingWindow(2), keepFirst(M));
      expect(attention(query, memoryKeys(M).prepend(learned, own, 2), { mask })).toBeAllclose(
        attention(query, all(key, learned.key), all(value, learned.value), { mask }),
        near,
      );
    }),
  );
});

test("property: prefill and decoding with a cache give the rows of the full pass, and the cache holds only tokens", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), size, fc.nat(1e6), (T, M, seed) => {
      const layer = groupedQuery({ ...heads, memory: memoryKeys(M) });
      const [params, x, cache] = [double(layer.init(seed)), make([2, T, 8], seed + 1), plainCache()];
      const ends = [1, T - 1, T].filter((end, i, all) => end > (all[i - 1] ?? 0));
      const read = ends.map((end, i) => layer.apply(params, slice(x, 1, ends[i - 1] ?? 0, end), { cache }));
      expect(concat(read, 1)).toBeAllclose(layer.apply(params, x), near);
      expect(cache.length).toBe(T);
    }),
  );
});

test("init: the projections are the same as without memory", () => {
  const [plain, more] = [
    groupedQuery(heads).init(3),
    groupedQuery({ ...heads, memory: memoryKeys(3) }).init(3),
  ];
  for (const name of ["query", "key", "value", "output"] as const)
    expect(more[name].weight.data).toEqual(plain[name].weight.data);
  expect(more.memory?.value.shape).toEqual([2, 3, 2]);
});

test("gradients of the input and every weight, also the learned keys and values, equal central differences", () => {
  const layer = groupedQuery({ ...heads, memory: memoryKeys(2) });
  const given = { x: make([1, 3, 8], 1), params: double(layer.init(2)) };
  const dy = make([1, 3, 8], 3);
  checkGradient(({ x, params }) => sum(mul(layer.apply(params, x), dy)), given);
});

test("keys of another number, missing keys and invalid counts are refused", () => {
  expect(() => memoryKeys(0)).toThrow(/memoryKeys: `count` is 0/);
  const layer = groupedQuery({ ...heads, memory: memoryKeys(2) });
  const { memory, ...params } = layer.init(1);
  const x = randn([1, 3, 8], { seed: 2 });
  expect(() => layer.apply(params, x)).toThrow(/`params.memory.key`/);
  const short = { ...memory!, value: slice(memory!.value, 1, 0, 1) };
  expect(() => layer.apply({ ...params, memory: short }, x)).toThrow(
    /memoryKeys: `params.memory.value` has shape \[2, 1, 2\], expected \[Hkv, 2, D\]/,
  );
});
