import type { EvictionScore } from "@qkv/attention-contract";
import { concat, randn, reshape, slice, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { evictingCache } from "./evicting-cache.js";

/**
 * The first number of a token's key in each head, computed once: the cache passes the scores of stored tokens back as
 * `previous`, and those of new tokens are appended.
 */
const firstNumber: EvictionScore = {
  name: "first number",
  queryWindow: 0,
  accumulates: true,
  score({ key, previous, newTokens }) {
    const [, Hkv, S] = key.shape as [number, number, number];
    const added = reshape(slice(slice(key, 3, 0, 1), 2, S - newTokens, S), [1, Hkv, newTokens]);
    return concat([previous!, added], 2);
  },
};

test("with `keptPer: head`, scores accumulate per head, in whichever slots the head stores its tokens", () => {
  const [T, Hkv, budget] = [24, 2, 4];
  const key = randn([1, Hkv, T, 3], { seed: 1 });
  const cache = evictingCache({ budget, score: firstNumber, keepLast: 1, keptPer: "head" });
  for (let t = 0; t < T; t++) {
    const token: Tensor = slice(key, 2, t, t + 1);
    cache.update(0, token, token);
  }
  const positions = Array.from(cache.read(0).positions as Int32Array);
  const slots = positions.length / Hkv;
  for (let head = 0; head < Hkv; head++) {
    const scoreOf = (t: number) => key.data[(head * T + t) * 3]!;
    const best = [...Array(T - 1).keys()].sort((a, b) => scoreOf(b) - scoreOf(a)).slice(0, budget - 1);
    const kept = positions.slice(head * slots, (head + 1) * slots).filter((position) => position >= 0);
    expect(kept.toSorted((a, b) => a - b)).toEqual([...best, T - 1].sort((a, b) => a - b));
  }
});
