import fc from "fast-check";
import { expect, test } from "vitest";
import { maskTiles } from "./mask-tiles.js";

const size = fc.integer({ min: 1, max: 12 });

test("property: the class of each tile follows from its cells", () => {
  fc.assert(
    fc.property(size, size, size, fc.infiniteStream(fc.boolean()), (a, b, tileSize, bits) => {
      const [S, T] = [Math.max(a, b), Math.min(a, b)];
      tileSize = Math.min(tileSize, S);
      const seen = Array.from({ length: T * S }, () => bits.next().value as boolean);
      const sees = (query: number, key: number) => seen[(query - (S - T)) * S + key]!;
      const svg = maskTiles(sees, S, { queryLength: T, tileSize });
      const kinds = [...svg.matchAll(/<title>queries (\d+) to (\d+), keys (\d+) to (\d+): (\w+ \w+)/g)];
      expect(kinds.length).toBe(Math.ceil(T / tileSize) * Math.ceil(S / tileSize));
      for (const [, q0, q1, k0, k1, kind] of kinds) {
        const inside = [];
        for (let q = Number(q0); q <= Number(q1); q++)
          for (let k = Number(k0); k <= Number(k1); k++) inside.push(sees(q, k));
        expect(kind).toBe(
          inside.every(Boolean) ? "sees all" : inside.some(Boolean) ? "looks at" : "sees nothing",
        );
      }
    }),
  );
});

test("golden: causal, reviewed as a picture", async () => {
  const svg = maskTiles((query, key) => key <= query, 12, { title: "Causal" });
  await expect(svg).toMatchFileSnapshot("../snapshots/mask-tiles.svg");
});

test.each([
  [129, {}, "maskTiles: `keyLength` is 129, expected an integer, 1 or more and at most 128"],
  [4, { queryLength: 5 }, "`queryLength` is 5, expected an integer, 1 or more and at most 4"],
  [4, { tileSize: 0 }, "`tileSize` is 0"],
])("%j with %j is refused", (keyLength, options, message) => {
  expect(() => maskTiles(() => true, keyLength, options)).toThrow(message);
});
