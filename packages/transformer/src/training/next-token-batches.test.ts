import fc from "fast-check";
import { expect, test } from "vitest";
import { nextTokenBatches } from "./next-token-batches.js";
import { textBatches } from "./text-batches.js";

const text = (length: number) => Array.from({ length }, (_, i) => i);

test("property: rows are chunks of the text, and each target is the token after its input", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.nat(20),
      fc.integer(),
      fc.nat(50),
      (T, extra, seed, step) => {
        const { ids, targets } = nextTokenBatches(text(T + 1 + extra), {
          batchSize: 3,
          contextLength: T,
          seed,
        })(step);
        expect(ids.shape).toEqual([3, T]);
        ids.data.forEach((id, n) => {
          expect(targets.data[n]).toBe(id + 1);
          if (n % T > 0) expect(id).toBe(ids.data[n - 1]! + 1);
        });
      },
    ),
  );
});

test("a step gives the same batch in any order of calls, and steps differ", () => {
  const batchAt = nextTokenBatches(text(1000), { batchSize: 4, contextLength: 8, seed: 5 });
  const seventh = batchAt(7).ids.toNested();
  batchAt(3);
  expect(batchAt(7).ids.toNested()).toEqual(seventh);
  expect(batchAt(8).ids.toNested()).not.toEqual(seventh);
});

test("chunks begin at every possible offset", () => {
  const batchAt = nextTokenBatches(text(6), { batchSize: 64, contextLength: 3, seed: 2 });
  const starts = new Set(Array.from({ length: 64 }, (_, b) => batchAt(0).ids.data[b * 3]));
  expect([...starts].sort()).toEqual([0, 1, 2]);
});

test("property: textBatches has each token except the first as a target exactly once, in order", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 40 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 4 }),
      (length, contextLength, batchSize) => {
        const allTargets = [...textBatches(text(length), { batchSize, contextLength })].flatMap(
          ({ ids, targets }) =>
            [...targets.data].flatMap((target, n) => {
              if (target < 0) return [];
              expect(ids.data[n]).toBe(target - 1);
              return [target];
            }),
        );
        expect(allTargets).toEqual(text(length).slice(1));
      },
    ),
  );
});

test("a text shorter than a chunk is refused, with the fix", () => {
  expect(() => nextTokenBatches([1, 2, 3], { batchSize: 1, contextLength: 3, seed: 1 })).toThrow(
    'nextTokenBatches: `ids` is "3 tokens", expected 4 tokens or more, for one chunk.\nFix: give a longer text',
  );
});

test("an invalid step is refused", () => {
  const batchAt = nextTokenBatches([1, 2, 3], { batchSize: 1, contextLength: 2, seed: 1 });
  expect(() => batchAt(-1)).toThrow(/^nextTokenBatches: `step` is -1, expected an integer, 0 or more/);
});
