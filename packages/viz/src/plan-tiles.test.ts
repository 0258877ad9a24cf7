import fc from "fast-check";
import { expect, test } from "vitest";
import { planTiles } from "./plan-tiles.js";

const kinds = ["skipped", "partial", "whole"];
const size = fc.integer({ min: 1, max: 7 });

test("property: the tooltip of each tile has its class, and the description counts the classes", () => {
  const plans = fc.tuple(size, size, fc.integer({ min: 0, max: 2 })).chain(([rows, columns, plane]) =>
    fc.tuple(
      fc.constant({ rows, columns, plane }),
      fc.array(fc.integer({ min: 0, max: 2 }), {
        minLength: 3 * rows * columns,
        maxLength: 3 * rows * columns,
      }),
    ),
  );
  fc.assert(
    fc.property(plans, ([{ rows, columns, plane }, classes]) => {
      const svg = planTiles({ queryTile: 64, keyTile: 32, rows, columns, classes }, { plane });
      const own = classes.slice(plane * rows * columns, (plane + 1) * rows * columns);
      const told = [...svg.matchAll(/<title>queries (\d+) to \d+, keys (\d+) to \d+: (\w+)<\/title>/g)];
      expect(told.map(([, query, key, kind]) => [Number(query), Number(key), kind])).toEqual(
        own.map((one, i) => [64 * Math.floor(i / columns), 32 * (i % columns), kinds[one]]),
      );
      const [skipped, partial, whole] = [0, 1, 2].map((one) => own.filter((each) => each === one).length);
      expect(svg).toContain(`${skipped} of ${own.length} tiles skipped, ${partial} partial, ${whole} whole`);
    }),
  );
});

test("golden: causal, reviewed as a picture", async () => {
  const classes = Array.from({ length: 36 }, (_, i) => Math.sign(Math.floor(i / 6) - (i % 6)) + 1);
  const svg = planTiles({ queryTile: 64, keyTile: 64, rows: 6, columns: 6, classes }, { title: "Causal" });
  await expect(svg).toMatchFileSnapshot("../snapshots/plan-tiles.svg");
});

test.each([
  [{ rows: 65 }, {}, "planTiles: `rows` is 65, expected an integer, 1 or more and at most 64"],
  [{}, { plane: 1 }, "`plane` is 1"],
  [{ classes: 7 }, {}, "`plan.classes` is 7"],
])("%j with %j is refused", (changed, options, message) => {
  const plan = { queryTile: 64, keyTile: 64, rows: 1, columns: 1, classes: [2], ...changed };
  expect(() => planTiles(plan as never, options)).toThrow(message);
});
