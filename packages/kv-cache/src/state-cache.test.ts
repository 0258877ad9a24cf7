import { randn, slice, tensor, zeros, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { growingCache } from "./growing-cache.js";
import { mixedCache } from "./mixed-cache.js";
import { stateCache } from "./state-cache.js";

const stateOf = (seed: number, B = 1) => ({
  state: randn([B, 2, 3, 4], { seed }),
  conv: randn([B, 5, 3], { seed: seed + 100 }),
});
const tokens = (T: number, B = 1) => randn([B, 2, T, 4], { seed: T });

test("`bytes` does not depend on the number of tokens, since buffers are reused", () => {
  const cache = stateCache({ checkpoints: 2 });
  const one = (2 * 3 * 4 + 5 * 3) * 4;
  const buffers = new Set<unknown>();
  for (let t = 0; t < 50; t++) {
    cache.advance(0, stateOf(t), 7);
    buffers.add(cache.state(0)!["state"]!.storage);
    expect(cache.bytes).toBe(Math.min(t + 1, 3) * one);
    if (t % 5 === 4) cache.crop(-7);
  }
  expect(buffers.size).toBe(3);
  expect([cache.length, cache.stored]).toEqual([280, 0]);
});

test("crop goes back to a stored state, and refuses other lengths with the fix", () => {
  const cache = stateCache({ checkpoints: 2 });
  for (const [seed, T] of [[1, 10], [2, 1], [3, 4], [4, 1]] as const) cache.advance(0, stateOf(seed), T); // prettier-ignore
  expect(() => cache.crop(13)).toThrow(
    "crop: `length` is 13, expected 11, 15, 16, of which a state is stored, or 0 for all sequences.\nFix: make the cache with more `checkpoints`, or `fork()` it",
  );
  expect(cache.length).toBe(16);
  cache.crop(11);
  expect(cache.state(0)!["conv"]!.data).toEqual(stateOf(2).conv.data);
  cache.crop(0);
  expect([cache.state(0), cache.length]).toEqual([undefined, 0]);
});

test("a fork is a checkpoint, and allocates nothing until one of the two caches is written", () => {
  const cache = stateCache();
  cache.advance(0, stateOf(1), 10);
  const fork = cache.fork();
  expect(fork.state(0)!["state"]!.storage).toBe(cache.state(0)!["state"]!.storage);
  for (const seed of [2, 3, 4]) cache.advance(0, stateOf(seed), 1);
  expect(fork.state(0)!["state"]!.data).toEqual(stateOf(1).state.data);
  expect([cache.length, fork.length]).toEqual([13, 10]);
});

test("sequences advance by different numbers of tokens, and each is cropped to its own state", () => {
  const cache = stateCache({ checkpoints: 1 });
  cache.advance(0, stateOf(1, 2), [5, 3]);
  cache.advance(0, stateOf(2, 2), [1, 2]);
  expect([...cache.lengths]).toEqual([6, 5]);
  cache.crop([5, 5]);
  const row = (x: Tensor, b: number) => slice(x, 0, b, b + 1).data;
  const held = cache.state(0)!["state"]!;
  expect(row(held, 0)).toEqual(row(stateOf(1, 2).state, 0));
  expect(row(held, 1)).toEqual(row(stateOf(2, 2).state, 1));
});

test("a step without tokens replaces the state and adds no checkpoint", () => {
  const cache = stateCache({ checkpoints: 1 });
  for (const [seed, T] of [[1, 10], [2, 1], [3, 0]] as const) cache.advance(0, stateOf(seed), T); // prettier-ignore
  expect(cache.state(0)!["state"]!.data).toEqual(stateOf(3).state.data);
  cache.crop(10);
  expect(cache.state(0)!["state"]!.data).toEqual(stateOf(1).state.data);
});

test("the length of a mixed cache is that of the layer that has seen the fewest tokens", () => {
  const cache = mixedCache([stateCache(), growingCache()]);
  cache.update(1, tokens(3), tokens(3));
  expect([cache.length, ...cache.lengths]).toEqual([0, 0]);
  cache.advance(0, stateOf(1), 3);
  expect([cache.length, ...cache.lengths]).toEqual([3, 3]);
});

test("a new state may consist of views of the state it replaces", () => {
  const cache = stateCache({ checkpoints: 0 });
  const [a, b] = [tensor([[1, 2, 3]]), tensor([[4, 5, 6]])];
  cache.advance(0, { a, b }, 1);
  const old = cache.state(0)!;
  cache.advance(0, { a: old["b"]!, b: old["a"]! }, 1);
  expect([...cache.state(0)!["a"]!.data]).toEqual([4, 5, 6]);
  expect([...cache.state(0)!["b"]!.data]).toEqual([1, 2, 3]);
});

test("a mixed cache of states and keys is cropped as a whole, or refuses and stays unchanged", () => {
  const [keys, states] = [growingCache({ unrotatedKeys: true }), stateCache({ checkpoints: 1 })];
  const cache = mixedCache([states, keys]);
  expect(cache.unrotatedKeys).toBe(true);
  for (const [seed, T] of [[1, 6], [2, 1]] as const) {
    cache.advance(0, stateOf(seed), T);
    cache.update(1, tokens(T), tokens(T));
  } // prettier-ignore
  expect(cache.length).toBe(7);
  expect(cache.bytes).toBe(keys.bytes + states.bytes);
  expect(() => cache.crop(3)).toThrow("of which a state is stored");
  expect([keys.length, states.length]).toEqual([7, 7]);
  cache.crop(6);
  expect([keys.length, states.length]).toEqual([6, 6]);
  const restored = mixedCache([stateCache(), growingCache({ unrotatedKeys: true })]);
  restored.restore(cache.save());
  expect(restored.state(0)!["state"]!.data).toEqual(stateOf(1).state.data);
  expect(() => cache.state(1)).toThrow(
    'state: `cache` is "one of keys and values", expected a cache of states',
  );
  expect(() => cache.advance(1, stateOf(1), 1)).toThrow("Fix: give this layer a `stateCache()`");
  expect(() => cache.read(0)).toThrow(
    'read: `cache` is "one of states", expected a cache of keys and values',
  );
});

test("caches of states and caches of keys refuse each other's files", () => {
  const [keys, states] = [growingCache(), stateCache()];
  keys.update(0, tokens(3), tokens(3));
  states.advance(0, stateOf(1), 3);
  expect(() => states.restore(keys.save())).toThrow(
    'restore: `saved cache: form` is "every token", expected "states"',
  );
  expect(() => keys.restore(states.save())).toThrow(
    'restore: `saved cache: form` is "states", expected "every token"',
  );
  const wide = stateCache();
  wide.advance(0, { state: zeros([1, 2, 3, 5]), conv: zeros([1, 5, 3]) }, 1);
  expect(() => wide.restore(states.save())).toThrow("float32 [1, 2, 3, 5]");
  expect(wide.length).toBe(1);
});

test.each([
  [
    () => stateCache({ checkpoints: -1 }),
    "stateCache: `checkpoints` is -1, expected an integer number of states, 0 or more",
  ],
  [() => stateCache({ checkpoint: 1 } as never), "checkpoints"],
  [() => stateCache().state(1), "state: `layer` is 1, expected a layer from 0 to 0"],
  [() => stateCache().advance(1, stateOf(1), 1), "advance: `layer` is 1"],
  [
    () => stateCache().advance(0, {}, 1),
    'advance: `state` is "tensors named nothing", expected one tensor or more',
  ],
  [() => stateCache().advance(0, { "a.b": zeros([1]) }, 1), "with names of letters and digits"],
  [
    () => stateCache().advance(0, stateOf(1), -1),
    "advance: `tokens` is -1, expected an integer number of tokens",
  ],
  [
    () => stateCache().advance(0, stateOf(1), [1, 2]),
    'advance: `tokens` is "[1, 2]", expected an integer number of tokens, or 1 of them',
  ],
  [() => stateCache().advance(0, { state: 3 } as never, 1), "advance: `state.state` is 3, expected a tensor"],
  [
    () => stateCache().advance(0, { state: zeros([2], { dtype: "int32" }) }, 1),
    'advance: `state.state` is "int32 [2]", expected float32 or float64 [2]',
  ],
  [
    () => stateCache().advance(0, { a: zeros([2, 3]), b: zeros([1, 3]) }, 1),
    'advance: `state.b` is "float32 [1, 3]", expected float32 or float64 [2, …]',
  ],
  [() => stateCache().update(0, tokens(1), tokens(1)), 'update: `cache` is "one of states"'],
  [() => stateCache().discard(0, 1), 'discard: `cache` is "states"'],
])("refused: %s", (call, message) => {
  expect(call).toThrow(message);
});

test("a state whose names, types or shapes differ from those of the last is refused", () => {
  const cache = stateCache();
  cache.advance(0, stateOf(1), 1);
  expect(() => cache.advance(0, { state: stateOf(2).state }, 1)).toThrow(
    "expected those of the last state: state, conv",
  );
  expect(() => cache.advance(0, { ...stateOf(2), conv: zeros([1, 5, 4]) }, 1)).toThrow(
    'advance: `state.conv` is "float32 [1, 5, 4]", expected float32 [1, 5, 3]',
  );
  expect(() => cache.advance(0, stateOf(2, 3), 1)).toThrow("expected float32 [1, 2, 3, 4]");
  expect([cache.length, cache.bytes]).toEqual([1, 156]);
});
