import { type Cache, type KeyValues, positionsAfter } from "@qkv/attention-contract";
import { concat, randn, slice, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { unusedMethods } from "@qkv/test-support/attention-cache";
import { groupedQuery } from "./grouped-query.js";
import { qkNorm } from "./qk-norm.js";
import { causal } from "../masks/causal.js";
import { rope } from "../positions/rope.js";

/** A cache that joins what it is given, and can be told to lose its first tokens. */
function joining(unrotatedKeys: boolean, lengths?: readonly number[]): Cache & { drop(count: number): void } {
  let [key, value]: (Tensor | undefined)[] = [];
  let seen = 0;
  return {
    ...unusedMethods,
    unrotatedKeys,
    get length() {
      return seen;
    },
    get lengths() {
      return Int32Array.from(lengths ?? [seen]);
    },
    update(_layer, k, v): KeyValues {
      key = key ? concat([key, k], 2) : k;
      value = value ? concat([value, v], 2) : v;
      seen += k.shape[2]!;
      // In two parts, as a ring gives them.
      const at = Math.floor(key.shape[2]! / 2);
      const parts = (x: Tensor) => [slice(x, 2, 0, at), slice(x, 2, at)];
      return { key: parts(key), value: parts(value), positions: { start: 0 } };
    },
    drop(count) {
      [key, value] = [slice(key!, 2, count), slice(value!, 2, count)];
    },
  };
}

test("property: keys rotated on each read equal keys rotated once, bit for bit", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
      fc.nat(100),
      (chunks, seed) => {
        const layer = groupedQuery({
          ...{ embedDim: 8, numHeads: 2, numKvHeads: 1, mask: causal() },
          ...{ rope: rope({ headDim: 4 }), qkNorm: qkNorm() },
        });
        const params = layer.init(seed);
        const [ordinary, unrotatedKeys] = [joining(false), joining(true)];
        for (const T of chunks) {
          const x = randn([1, T, 8], { seed: seed + T });
          const once = layer.apply(params, x, { cache: ordinary });
          expect(layer.apply(params, x, { cache: unrotatedKeys }).data).toEqual(once.data);
        }
      },
    ),
  );
});

test("after tokens are evicted, keys are rotated by their positions in the cache", () => {
  const layer = groupedQuery({
    ...{ embedDim: 8, numHeads: 2, numKvHeads: 1, mask: causal() },
    rope: rope({ headDim: 4 }),
  });
  const params = layer.init(1);
  const x = randn([1, 6, 8], { seed: 2 });
  const stretch = (from: number, to: number) => slice(x, 1, from, to);
  const cache = joining(true);
  layer.apply(params, stretch(0, 5), { cache });
  cache.drop(2);
  const shifted = layer.apply(params, stretch(5, 6), { cache });
  // One layer hears only its inputs: it is as if the first two had never been there.
  const fresh = slice(layer.apply(params, stretch(2, 6)), 1, 3);
  expect(shifted.data).toEqual(fresh.data);
});

test("new tokens have the positions after those seen, per sequence", () => {
  expect(positionsAfter(undefined, 2)).toEqual({ start: 0 });
  expect(positionsAfter({ ...joining(false), length: 7 }, 2)).toEqual({ start: 7 });
  expect(positionsAfter(joining(false, [3, 3]), 1)).toEqual({ start: 0 });
  expect(positionsAfter(joining(false, [3, 1]), 2)).toEqual(Int32Array.of(3, 4, 1, 2));
});

test("sequences of different lengths are rotated by their own positions", () => {
  const layer = groupedQuery({
    ...{ embedDim: 4, numHeads: 1, numKvHeads: 1, mask: causal() },
    rope: rope({ headDim: 4 }),
  });
  const params = layer.init(1);
  const held = randn([2, 1, 3, 4], { seed: 2 });
  const cache: Cache = {
    ...unusedMethods,
    unrotatedKeys: true,
    length: 3,
    lengths: Int32Array.of(2, 1),
    update: () => ({ key: [held], value: [held], positions: Int32Array.of(0, 1, 2, 0, 1, -1) }),
  };
  const x = randn([2, 1, 4], { seed: 3 });
  const both = layer.apply(params, x, { cache });
  const short = slice(slice(held, 0, 1), 2, 0, 2);
  const alone: Cache = {
    ...cache,
    update: () => ({ key: [short], value: [short], positions: { start: 0 } }),
  };
  expect(slice(both, 0, 1).data).toEqual(layer.apply(params, slice(x, 0, 1), { cache: alone }).data);
  expect(tensor(both.data).shape).toEqual([8]);
});
