import { randn, zeros } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { meanBlocks } from "./mean-blocks.js";
import { nsaBlocks } from "./nsa-blocks.js";

test("property: the first block, the query's own and the previous one are always selected, and no later one", () => {
  const size = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(
      size,
      fc.integer({ min: 3, max: 6 }),
      fc.integer({ min: 1, max: 12 }),
      fc.nat(1e6),
      (blockSize, numBlocks, T, seed) => {
        const [q, k] = [randn([1, 4, T, 3], { seed }), randn([1, 2, T, 3], { seed: seed + 1 })];
        const blocks = nsaBlocks(q, meanBlocks(k, blockSize), { blockSize, numBlocks });
        expect(blocks.shape).toEqual([1, 2, T, numBlocks]);
        for (let row = 0; row < 2 * T; row++) {
          const own = Math.floor((row % T) / blockSize);
          const real = [...blocks.data.slice(row * numBlocks, (row + 1) * numBlocks)].filter(
            (block) => block >= 0,
          );
          for (const forced of [0, own, Math.max(0, own - 1)]) expect(real).toContain(forced);
          expect(Math.max(...real)).toBe(own);
          expect(new Set(real).size).toBe(real.length);
          expect(real).toHaveLength(Math.min(numBlocks, own + 1));
        }
      },
    ),
  );
});

test("numBlocks = 0 is refused", () => {
  const x = zeros([1, 1, 2, 2]);
  expect(() => nsaBlocks(x, x, { blockSize: 1, numBlocks: 0 })).toThrow(
    /nsaBlocks: `numBlocks` is 0, expected an integer number of blocks/,
  );
});
