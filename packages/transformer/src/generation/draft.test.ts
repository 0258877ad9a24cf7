import fc from "fast-check";
import { expect, test } from "vitest";
import { lookUp } from "./draft.js";

test("what followed the last tokens where they stood last before follows again", () => {
  expect(lookUp([1, 2, 3, 9, 1, 2, 3, 8, 1, 2, 3], { match: 3, length: 2 })).toEqual([8, 1]);
  // Two tokens stand nowhere before, one does.
  expect(lookUp([7, 1, 2, 5, 2], { match: 2, length: 9 })).toEqual([5, 2]);
  expect(lookUp([1, 2, 3])).toEqual([]);
  expect(lookUp([1])).toEqual([]);
  // A run of one token: what follows overlaps what was looked for.
  expect(lookUp([4, 4, 4], { match: 2, length: 3 })).toEqual([4]);
});

test("property: a guess follows the same tokens somewhere before", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 4 }),
      (ids, match) => {
        const guess = lookUp(ids, { match, length: 3 });
        const last = ids.at(-1);
        if (guess.length === 0) expect(ids.slice(0, -1)).not.toContain(last);
        else {
          const places = ids.flatMap((_, at) =>
            at > 0 && ids[at - 1] === last ? [ids.slice(at, at + guess.length)] : [],
          );
          expect(places).toContainEqual(guess);
        }
      },
    ),
  );
});
