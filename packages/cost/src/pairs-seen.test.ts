import fc from "fast-check";
import { expect, test } from "vitest";
import type { Reach } from "./model-shape.js";
import { keysRead, pairsSeen } from "./pairs-seen.js";

const size = fc.integer({ min: 1, max: 9 });
const reach: fc.Arbitrary<Reach> = fc.oneof(
  fc.constant<Reach>({ kind: "all" }),
  fc.constant<Reach>({ kind: "causal" }),
  size.map((size): Reach => ({ kind: "window", size })),
  size.map((size): Reach => ({ kind: "chunk", size })),
);

/** True if a query sees a key: a second implementation, pair by pair. */
function sees(reach: Reach, query: number, key: number): boolean {
  if (reach.kind === "all") return true;
  if (reach.kind === "around") return Math.abs(query - key) <= reach.size;
  if (key > query) return false;
  if (reach.kind === "window") return query - key < reach.size;
  return reach.kind !== "chunk" || Math.floor(query / reach.size) === Math.floor(key / reach.size);
}

function pairs(reach: Reach, T: number, S: number, tile = 1): number {
  const seenTiles = new Set<string>();
  for (let t = 0; t < T; t++) {
    for (let s = 0; s < S; s++) {
      if (sees(reach, S - T + t, s)) seenTiles.add(`${Math.floor(t / tile)},${Math.floor(s / tile)}`);
    }
  }
  let count = 0;
  for (const name of seenTiles) {
    const [row = 0, column = 0] = name.split(",").map(Number);
    count += Math.min(tile, T - row * tile) * Math.min(tile, S - column * tile);
  }
  return count;
}

test("property: pairs equal a brute-force count, with and without tiles", () => {
  fc.assert(
    fc.property(reach, size, fc.nat(20), fc.integer({ min: 1, max: 5 }), (reach, T, before, tile) => {
      expect(pairsSeen(reach, T, T + before)).toBe(pairs(reach, T, T + before));
      expect(pairsSeen(reach, T, T + before, tile)).toBe(pairs(reach, T, T + before, tile));
    }),
  );
});

test("property: pairs of a centered window equal a brute-force count", () => {
  fc.assert(
    fc.property(size, size, fc.integer({ min: 1, max: 5 }), (distance, T, tile) => {
      const reach = { kind: "around", size: distance } as const;
      expect(pairsSeen(reach, T, T)).toBe(pairs(reach, T, T));
      expect(pairsSeen(reach, T, T, tile)).toBe(pairs(reach, T, T, tile));
    }),
  );
});

test("property: keysRead counts the keys that some query sees", () => {
  fc.assert(
    fc.property(reach, size, fc.nat(20), (reach, T, before) => {
      const S = T + before;
      const seen = Array.from({ length: S }, (_, s) => s).filter((s) =>
        Array.from({ length: T }, (_, t) => S - T + t).some((query) => sees(reach, query, s)),
      );
      expect(keysRead(reach, T, S)).toBe(seen.length);
    }),
  );
});
