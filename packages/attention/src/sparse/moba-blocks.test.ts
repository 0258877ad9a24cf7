import { randn, slice, zeros } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { and } from "../masks/and.js";
import { causal } from "../masks/causal.js";
import { mobaBlocks } from "./moba-blocks.js";
import { selectedKeys } from "./selected-keys.js";

const size = fc.integer({ min: 1, max: 4 });

test("property: topK ≥ the number of blocks gives full causal attention", () => {
  fc.assert(
    fc.property(size, fc.integer({ min: 1, max: 9 }), fc.nat(1e6), (blockSize, T, seed) => {
      const [q, k] = [randn([1, 4, T, 3], { seed }), randn([1, 2, T, 3], { seed: seed + 1 })];
      const blocks = mobaBlocks(q, k, { blockSize, topK: Math.ceil(T / blockSize) + 1 });
      const mask = and(causal(), selectedKeys(blocks, blockSize));
      expect(attention(q, k, k, { mask }).data).toEqual(attention(q, k, k, { mask: causal() }).data);
    }),
  );
});

test("property: a query's own block is first, no later block and no block twice is selected, and a call with only the last queries selects the same", () => {
  fc.assert(
    fc.property(size, size, fc.integer({ min: 1, max: 9 }), fc.nat(1e6), (blockSize, topK, T, seed) => {
      const x = randn([1, 2, T, 3], { seed });
      const blocks = mobaBlocks(x, x, { blockSize, topK });
      for (let row = 0; row < 2 * T; row++) {
        const own = Math.floor((row % T) / blockSize);
        const chosen = [...blocks.data.slice(row * topK, (row + 1) * topK)];
        expect(chosen[0]).toBe(own);
        const real = chosen.filter((block) => block >= 0);
        expect(real.every((block) => block <= own)).toBe(true);
        expect(real).toHaveLength(Math.min(topK, own + 1));
        expect(new Set(real).size).toBe(real.length);
      }
      const last = mobaBlocks(slice(x, 2, T - 1), x, { blockSize, topK });
      expect([...last.data]).toEqual([...slice(blocks, 2, T - 1).data]);
    }),
  );
});

test("invalid numbers are refused", () => {
  const x = zeros([1, 1, 2, 2]);
  expect(() => mobaBlocks(x, x, { blockSize: 0, topK: 1 })).toThrow(/mobaBlocks: `blockSize` is 0/);
  expect(() => mobaBlocks(x, x, { blockSize: 1, topK: 0 })).toThrow(
    /mobaBlocks: `topK` is 0, expected an integer number of blocks/,
  );
});
