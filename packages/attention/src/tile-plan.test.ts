import { type Mask, pairsRead, seenKeys, tileIndex, tilePlan } from "@qkv/attention-contract";
import { grad, randn, sum } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { runs } from "../../../scripts/tier.mjs";
import { attention } from "./attention.js";
import { defineMask } from "./mask.js";
import { and } from "./masks/and.js";
import { causal } from "./masks/causal.js";
import { padding } from "./masks/padding.js";
import { slidingWindow } from "./masks/sliding-window.js";

const range = (length: number, start = 0) => Int32Array.from({ length }, (_, i) => start + i);

function planOf(mask: Mask, T: number, S: number, batches = 1) {
  const bound = mask.bind({ queryLength: T, keyLength: S });
  const extent = { batches, heads: 1, queries: T, firstQuery: S - T, keyPositions: [range(S)] };
  return { bound, plan: tilePlan(bound, extent, mask.perBatch, mask.perHead) };
}

const visited = (mask: Mask, T: number) => planOf(mask, T, T).plan.classes.filter((one) => one !== 0).length;

test("property: a plan agrees with the mask for each pair, and tiles without visible pairs have class 0", () => {
  const masks = fc.constantFrom(
    causal({ align: "bottom-right" }),
    slidingWindow(3),
    slidingWindow(100),
    and(causal({ align: "top-left" }), padding([20, 130])),
    defineMask({ name: "checkers", sees: (query, key) => (query + key) % 2 === 0 }),
  );
  fc.assert(
    fc.property(masks, fc.integer({ min: 1, max: 140 }), fc.integer({ min: 1, max: 140 }), (mask, T, S) => {
      const { bound, plan } = planOf(mask, T, S, 2);
      for (let b = 0; b < plan.batches; b++) {
        const seenBy = new Uint32Array(plan.classes.length);
        for (let t = 0; t < T; t++) {
          for (let s = 0; s < S; s++) {
            const [row, column] = [Math.floor(t / plan.queryTile), Math.floor(s / plan.keyTile)];
            const tile = tileIndex(plan, b, 0, row, column);
            const [i, j] = [t - row * plan.queryTile, s - column * plan.keyTile];
            const word = plan.bits[plan.bitsAt[tile]! + i * (plan.keyTile / 32) + (j >>> 5)];
            const bit = ((word ?? 0) >>> (j & 31)) & 1;
            const sees = plan.classes[tile] === 1 ? bit === 1 : plan.classes[tile] === 2;
            expect(sees).toBe(bound.sees(S - T + t, s, b, 0));
            if (sees) seenBy[tile]! += 1;
          }
        }
        for (let row = 0; row < plan.rows; row++) {
          for (let column = 0; column < plan.columns; column++) {
            const tile = tileIndex(plan, b, 0, row, column);
            expect(plan.classes[tile]! > 0).toBe(seenBy[tile]! > 0);
          }
        }
      }
    }),
    { numRuns: runs(30) },
  );
});

test("with different positions per key-value head, the plan has one entry per query head", () => {
  const bound = causal().bind({ queryLength: 1, keyLength: 6 });
  const keyPositions = [Int32Array.of(0, 5), Int32Array.of(6, 2)];
  const extent = { batches: 1, heads: 4, queries: 1, firstQuery: 5, keyPositions };
  const plan = tilePlan(bound, extent, false, false);
  expect([plan.batches, plan.heads]).toEqual([1, 4]);
  const seen = [0, 1, 2, 3].map((head) => {
    const row = new Uint8Array(2);
    seenKeys(plan, 0, head, 0, 0, row);
    return [...row];
  });
  expect(seen).toEqual([[1, 1], [1, 1], [0, 1], [0, 1]]); // prettier-ignore
  expect(tilePlan(undefined, extent, false, false).heads).toBe(1);
});

test("the number of computed tiles is linear in T for a window, and about half of all tiles for causal masks", () => {
  // A window of 100 keys touches three tiles of 64 a row, fewer at the start.
  expect([512, 1024, 2048, 4096].map((T) => visited(slidingWindow(100), T))).toEqual([21, 45, 93, 189]);
  expect([512, 1024].map((T) => visited(causal(), T))).toEqual([36, 136]);
});

test("pairsRead counts the pairs of computed tiles for all sequences and heads", () => {
  const { plan } = planOf(causal(), 65, 65);
  // 64 × 64, then one query against 65 keys.
  expect(pairsRead(plan, 2, 3, 65, 65)).toBe(6 * (64 * 64 + 65));
});

test("forward and backward passes at T = 1024 allocate no array of size [T, S]", () => {
  const [H, T, D] = [3, 1024, 16];
  const inputs = [1, 2, 3].map((seed) => randn([1, H, T, D], { seed }));
  const largest = largestAllocation(() => {
    const [query, key, value] = inputs as [(typeof inputs)[0], (typeof inputs)[0], (typeof inputs)[0]];
    return grad((q: typeof query) => sum(attention(q, key, value, { mask: causal() })))(query);
  });
  // The largest array is as large as one tensor in float64; a map of scores would be far larger.
  expect(largest).toBeLessThanOrEqual(H * T * D * 8);
  expect(largest).toBeLessThan(T * T);
});

/** Bytes of the largest typed array that is made while `f` runs. */
function largestAllocation(f: () => unknown): number {
  let largest = 0;
  const kinds = [
    "Float32Array",
    "Float64Array",
    "Int32Array",
    "Uint8Array",
    "Uint16Array",
    "Uint32Array",
  ] as const;
  const originals = kinds.map((kind) => globalThis[kind]);
  kinds.forEach((kind, i) => {
    const watched = new Proxy(originals[i]!, {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target, args, newTarget) as {
          byteLength: number;
          buffer: ArrayBuffer;
        };
        // A view of an array that exists allocates nothing.
        if (!(args[0] instanceof ArrayBuffer)) largest = Math.max(largest, made.byteLength);
        return made;
      },
    });
    Object.defineProperty(globalThis, kind, { value: watched, configurable: true, writable: true });
  });
  try {
    f();
  } finally {
    kinds.forEach((kind, i) => {
      Object.defineProperty(globalThis, kind, { value: originals[i], configurable: true, writable: true });
    });
  }
  return largest;
}
