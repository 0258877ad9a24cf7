import { attention, causal, slidingWindow } from "@qkv/attention";
import type { Mask } from "@qkv/attention-contract";
import { randn, type Device } from "@qkv/tensor";
import { wasm, type WasmOptions } from "@qkv/wasm";
import { describe, expect, test } from "vitest";
import { casesByTier } from "../../scripts/tier.mjs";

/** [query heads per key-value head, key-value heads, headDim, keys]: several chunks, the last one partial. */
const shapes: [number, number, number, number][] = [
  [1, 3, 64, 2500],
  [2, 1, 20, 1101],
  [5, 2, 33, 3000],
  [3, 2, 160, 1500],
  [1, 12, 16, 5000],
];

function decode(device: Device, [group, kvHeads, D, S]: [number, number, number, number], mask: Mask) {
  const query = randn([1, group * kvHeads, 1, D], { seed: 1 }).to(device);
  const key = randn([1, kvHeads, S, D], { seed: 2 }).to(device);
  const value = randn([1, kvHeads, S, D + 3], { seed: 3 }).to(device);
  return [...attention(query, key, value, { mask }).data];
}

describe("attention of a single query gives the same bits for each read pattern", () => {
  test.each([{ build: "plain" }, {}, { threads: 2 }] satisfies WasmOptions[])("%o", async (options) => {
    const [sequential, ...others] = await Promise.all(
      (["sequential", "prefetched", "interleaved"] as const).map((readPattern) =>
        wasm({ ...options, readPattern }),
      ),
    );
    for (const shape of casesByTier(shapes, ([, , , keys]) => keys === 1101))
      for (const mask of [causal(), slidingWindow(1300)]) {
        const expected = decode(sequential!, shape, mask);
        for (const device of others) expect(decode(device, shape, mask)).toEqual(expected);
      }
    for (const device of [sequential!, ...others]) {
      expect(device.report().calls["attention"]!.plain).toBe(0);
      await device.close();
    }
  });
});
