import fc from "fast-check";
import { expect, test } from "vitest";
import { promptLookup } from "./prompt-lookup.js";

test("the draft is the continuation of the last earlier occurrence of the last n-gram", () => {
  expect(promptLookup([1, 2, 3, 9, 1, 2, 3, 8, 1, 2, 3], { ngramSize: 3, draftLength: 2 })).toEqual([8, 1]);
  // The last two tokens do not occur earlier, the last one does.
  expect(promptLookup([7, 1, 2, 5, 2], { ngramSize: 2, draftLength: 9 })).toEqual([5, 2]);
  expect(promptLookup([1, 2, 3])).toEqual([]);
  expect(promptLookup([1])).toEqual([]);
  // In a run of one token, the continuation overlaps the last n-gram.
  expect(promptLookup([4, 4, 4], { ngramSize: 2, draftLength: 3 })).toEqual([4]);
});

test("property: a draft follows an earlier occurrence of the same tokens", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 4 }),
      (ids, ngramSize) => {
        const draft = promptLookup(ids, { ngramSize, draftLength: 3 });
        const last = ids.at(-1);
        if (draft.length === 0) expect(ids.slice(0, -1)).not.toContain(last);
        else {
          const places = ids.flatMap((_, at) =>
            at > 0 && ids[at - 1] === last ? [ids.slice(at, at + draft.length)] : [],
          );
          expect(places).toContainEqual(draft);
        }
      },
    ),
  );
});
