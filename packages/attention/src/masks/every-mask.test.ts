// What holds for every mask, alone and combined.
import { type Mask, tilePlan } from "@qkv/attention-contract";
import { randn, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { and } from "./and.js";
import { maskTensor } from "./mask-tensor.js";
import { not } from "./not.js";
import { or } from "./or.js";
import { catalogueMasks, kinds, masks, positions } from "@qkv/test-support/random-masks";
import { exhaustiveTileClass } from "@qkv/test-support/exhaustive-tile-class";

const extent = fc
  .integer({ min: 1, max: positions })
  .map((queryLength) => ({ queryLength, keyLength: positions }));
const range = fc
  .tuple(fc.integer({ min: -4, max: positions + 2 }), fc.nat(6))
  .map(([first, more]) => ({ first, last: first + more }));
const within = fc
  .tuple(fc.nat(positions - 1), fc.nat(positions - 1))
  .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
const one = fc.nat(1);

/** The pairs a mask shows, as a tensor [2, 2, T, S]. */
function pairs(mask: Mask, T: number, S: number): Tensor {
  const bound = mask.bind({ queryLength: T, keyLength: S });
  const seen: boolean[] = [];
  for (let b = 0; b < 2; b++)
    for (let h = 0; h < 2; h++)
      for (let t = 0; t < T; t++) for (let s = 0; s < S; s++) seen.push(bound.sees(S - T + t, s, b, h));
  return tensor(seen, { shape: [2, 2, T, S] });
}

test("property: the class of a tile never contradicts its pairs, wherever the tile is", () => {
  fc.assert(
    fc.property(masks, extent, range, range, one, one, (mask, extent, query, key, batch, head) => {
      // A written-out mask has numbers for its own positions alone.
      if (/maskTensor/.test(mask.name)) return;
      const bound = mask.bind(extent);
      const tile = bound.tile(query, key, batch, head);
      if (tile !== "some") expect(tile, mask.name).toBe(exhaustiveTileClass(bound, query, key, batch, head));
    }),
    { numRuns: 3000 },
  );
});

for (const [name, mask] of Object.entries(catalogueMasks)) {
  test(`property: ${name}, of the catalogue, never contradicts itself in a tile`, () => {
    fc.assert(
      fc.property(mask, extent, within, within, one, one, (mask, extent, query, key, batch, head) => {
        const bound = mask.bind(extent);
        const tile = bound.tile(query, key, batch, head);
        if (tile !== "some")
          expect(tile, mask.name).toBe(exhaustiveTileClass(bound, query, key, batch, head));
      }),
      { numRuns: 300 },
    );
  });
}

// These masks give the exact class of every tile; the others may give "some" for any tile.
for (const kind of Object.keys(kinds).filter((name) => !["maskTensor", "maskMod", "tree"].includes(name))) {
  test(`property: ${kind} gives the exact class of every tile`, () => {
    fc.assert(
      fc.property(kinds[kind]!, extent, within, within, one, one, (mask, extent, query, key, batch, head) => {
        const bound = mask.bind(extent);
        const tile = bound.tile(query, key, batch, head);
        expect(tile, mask.name).toBe(exhaustiveTileClass(bound, query, key, batch, head));
      }),
      { numRuns: 500 },
    );
  });
}

test("property: attention under a mask equals attention under a dense mask of the same pairs, in both types", () => {
  fc.assert(
    fc.property(
      masks,
      extent,
      fc.constantFrom("float32", "float64"),
      fc.nat(),
      (mask, extent, dtype, seed) => {
        const { queryLength: T, keyLength: S } = extent;
        const [query, key, value] = [T, S, S].map((length, n) =>
          randn([2, 2, length, 3], { seed: seed + n, dtype }),
        ) as [Tensor, Tensor, Tensor];
        const written = maskTensor(pairs(mask, T, S));
        expect(attention(query, key, value, { mask }).data, mask.name).toEqual(
          attention(query, key, value, { mask: written }).data,
        );
      },
    ),
  );
});

test("property: and, or and not obey De Morgan's laws", () => {
  fc.assert(
    fc.property(masks, masks, extent, (a, b, { queryLength: T, keyLength: S }) => {
      const seen = (mask: Mask) => pairs(mask, T, S).data;
      expect(seen(not(and(a, b)))).toEqual(seen(or(not(a), not(b))));
      expect(seen(not(or(a, b)))).toEqual(seen(and(not(a), not(b))));
      expect(seen(not(not(a)))).toEqual(seen(a));
    }),
  );
});

test("property: a plan skips exactly the tiles without a visible pair", () => {
  const long = fc.constantFrom(...["slidingWindow", "keepFirst", "prefix", "dilated", "strided", "chunked"]);
  fc.assert(
    fc.property(
      long.chain((kind) => kinds[kind]!),
      fc.integer({ min: 1, max: 200 }),
      (mask, length) => {
        const bound = mask.bind({ queryLength: length, keyLength: length });
        const keyPositions = [Int32Array.from({ length }, (_, s) => s)];
        const plan = tilePlan(
          bound,
          { batches: 1, heads: 1, queries: length, firstQuery: 0, keyPositions },
          mask.perBatch,
          mask.perHead,
        );
        const visited = plan.classes.filter((one) => one !== 0).length;
        const needed = new Set<string>();
        for (let q = 0; q < length; q++)
          for (let k = 0; k < length; k++) if (bound.sees(q, k, 0, 0)) needed.add(`${q >> 6},${k >> 6}`);
        expect(visited, mask.name).toBe(needed.size);
      },
    ),
    { numRuns: 30 },
  );
});
