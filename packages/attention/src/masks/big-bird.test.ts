import fc from "fast-check";
import { expect, test } from "vitest";
import { bigBird } from "./big-bird.js";
import { describe } from "./describe.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

const options = fc.record({
  blockSize: fc.integer({ min: 1, max: 3 }),
  windowBlocks: fc.constantFrom(1, 3),
  randomBlocks: fc.nat(3),
  seed: fc.nat(1000),
});

test("property: global blocks see all and are seen by all, and other blocks see the window and `randomBlocks` more", () => {
  fc.assert(
    fc.property(options, fc.integer({ min: 1, max: 24 }), (options, S) => {
      const rows = rowsSeen(bigBird(options), S);
      const { blockSize, windowBlocks, randomBlocks } = options;
      const blocks = Math.ceil(S / blockSize);
      for (let i = 0; i < S; i++) {
        const block = Math.floor(i / blockSize);
        if (block === 0 || block === blocks - 1) {
          expect(rows[i]).toBe("1".repeat(S));
          expect(rows.map((row) => row[i]).join("")).toBe("1".repeat(S));
          continue;
        }
        const seen = new Set(
          [...rows[i]!].flatMap((bit, j) => (bit === "1" ? [Math.floor(j / blockSize)] : [])),
        );
        const notRandom = new Set([0, blocks - 1, block]);
        if (windowBlocks === 3) notRandom.add(block - 1).add(block + 1);
        for (const other of notRandom) expect(seen.has(other)).toBe(true);
        expect(seen.size).toBe(Math.min(blocks, notRandom.size + randomBlocks));
      }
    }),
  );
});

test("golden: without random blocks, it is the window and the global blocks", () => {
  const mask = bigBird({ blockSize: 1, windowBlocks: 3, randomBlocks: 0 });
  expect(rowsSeen(mask, 6)).toEqual(["111111", "111001", "111101", "101111", "100111", "111111"]);
  expect(rowsSeen(bigBird({ blockSize: 2, windowBlocks: 1, globalBlocks: [], randomBlocks: 0 }), 4)).toEqual([
    "1100",
    "1100",
    "0011",
    "0011",
  ]);
});

test("equal seeds give the same random blocks, and other seeds give others", () => {
  const rows = (seed: number) =>
    rowsSeen(bigBird({ blockSize: 1, windowBlocks: 1, randomBlocks: 2, seed }), 20);
  expect(rows(1)).toEqual(rows(1));
  expect(rows(1)).not.toEqual(rows(2));
  // Each block draws its own random blocks: 18 blocks with two each include most of the others.
  const far = rows(1)
    .slice(1, -1)
    .flatMap((row, i) => {
      const seen = [...row].flatMap((bit, key) => (bit === "1" ? [key] : []));
      return seen.filter((key) => ![0, 19, i + 1].includes(key));
    });
  expect(far).toHaveLength(36);
  expect(new Set(far).size).toBeGreaterThan(10);
});

test("one mask serves sequences of several lengths", () => {
  const mask = bigBird({ blockSize: 2, windowBlocks: 1, randomBlocks: 1 });
  for (const S of [12, 40, 7, 12]) {
    expect(rowsSeen(mask, S)).toEqual(
      rowsSeen(bigBird({ blockSize: 2, windowBlocks: 1, randomBlocks: 1 }), S),
    );
  }
});

test("the fraction of visible pairs decreases with the length", () => {
  const sparsity = (length: number) =>
    describe(bigBird(), { queryLength: length, keyLength: length }).sparsity;
  expect(sparsity(256)).toBe(0); // four blocks: all of them are window, global or random
  expect(sparsity(2048)).toBeGreaterThan(0.65);
});

test("invalid counts and even windows are refused, with the fix", () => {
  expect(() => bigBird({ windowBlocks: 2 })).toThrow(
    /bigBird: `windowBlocks` is 2, expected an odd number of blocks.\nFix: a block has as many neighbours/,
  );
  expect(() => bigBird({ blockSize: 0 })).toThrow(
    /`blockSize` is 0, expected an integer number of tokens, 1 or more/,
  );
  expect(() => bigBird({ randomBlocks: -1 })).toThrow(/`randomBlocks` is -1.*\nFix: count blocks/);
  expect(() => bigBird({ globalBlocks: [0.5] })).toThrow(/`globalBlocks` is 0.5, expected integers/);
});
