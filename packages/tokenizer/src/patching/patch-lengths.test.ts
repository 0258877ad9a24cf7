import fc from "fast-check";
import { expect, test } from "vitest";
import { globalThreshold } from "./global-threshold.js";
import { bltPatchLengths, patchIds, patchLengths, splitPatches } from "./patch-lengths.js";
import { patchStarts } from "./patch-starts.js";
import { stridedPatching } from "./strided-patching.js";

const entropies = fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 1, maxLength: 40 });
const lengths = fc.array(fc.nat(9), { maxLength: 12 });
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);

test("property: patch lengths sum to the length of the text, and patch ids give the patch of each byte", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (bytes, size) => {
      const starts = patchStarts(bytes, stridedPatching(size));
      const lengths = patchLengths(starts, bytes.length);
      expect(sum(lengths)).toBe(bytes.length);
      expect([...patchIds(lengths)]).toEqual(Array.from(bytes, (_, at) => Math.floor(at / size)));
    }),
  );
});

test("property: splitting preserves the bytes and all boundaries, and gives patches of 1 to maxLength bytes", () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 5 }), (lengths, most) => {
      const split = splitPatches(lengths, most);
      const ends = (list: readonly number[]) => list.map((_, i) => sum(list.slice(0, i + 1)));
      expect(sum(split)).toBe(sum(lengths));
      expect(split.every((length) => length >= 1 && length <= most)).toBe(true);
      expect(ends(lengths).filter((end) => end > 0 && !ends(split).includes(end))).toEqual([]);
    }),
  );
});

test("property: BLT's lengths are a start token, then the patches that patchStarts gives for the entropies", () => {
  fc.assert(
    fc.property(entropies, fc.double({ min: 0, max: 5, noNaN: true }), (entropies, threshold) => {
      const bytes = new Uint8Array(entropies.length - 1);
      const starts = patchStarts(bytes, globalThreshold(threshold), entropies);
      const next = entropies.length > 1 && entropies.at(-1)! > threshold ? [0] : [];
      const expected = [1, ...patchLengths(starts, bytes.length), ...next];
      expect(bltPatchLengths(entropies, threshold)).toEqual(expected);
    }),
  );
});

test("golden: by hand", () => {
  expect(bltPatchLengths([], 1)).toEqual([]);
  expect(bltPatchLengths([9], 1)).toEqual([1]);
  expect(bltPatchLengths([0, 2, 2], 1)).toEqual([1, 1, 1, 0]);
  expect(splitPatches([0, 4, 1], 3)).toEqual([3, 1, 1]);
});

test("invalid lengths, offsets and entropies are refused, with the fix", () => {
  expect(() => patchLengths([0, 3, 3], 5)).toThrow(
    /patchLengths: `starts` is 3, expected offsets that rise from 0 to below 5.\nFix: give what `patchStarts`/,
  );
  expect(() => patchLengths([], 5)).toThrow(/`starts` is "an empty list"/);
  expect(() => patchLengths([1], 5)).toThrow(/`starts` is 1/);
  expect(() => patchIds([1, -1])).toThrow(
    /patchIds: `lengths` is -1, expected integer lengths in bytes, 0 or more/,
  );
  expect(() => splitPatches([3], 0)).toThrow(/splitPatches: `maxLength` is 0/);
  expect(() => bltPatchLengths([NaN], 1)).toThrow(
    /bltPatchLengths: `entropies` is NaN, expected numbers of nats/,
  );
  expect(() => bltPatchLengths([1], Infinity)).toThrow(/`threshold` is Infinity/);
});
