import { randn, slice } from "@qkv/tensor";
import { rowsSeen } from "@qkv/test-support/rows-seen";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention, attentionWeights } from "../attention.js";
import { patches } from "./patches.js";

const lengths = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });
const idsOf = (lengths: readonly number[]) => lengths.flatMap((length, id) => Array<number>(length).fill(id));

test("property: each patch attends exactly to its bytes, as if it were the only one", () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 3 }), fc.nat(1000), (lengths, rowsPerPatch, seed) => {
      const ids = idsOf(lengths);
      const query = randn([1, 2, lengths.length * rowsPerPatch, 3], { seed });
      const [key, value] = [1, 2].map((n) => randn([1, 2, ids.length, 3], { seed: seed + n }));
      const mask = patches(ids, { rowsPerPatch });
      const both = attention(query, key!, value!, { mask });
      let start = 0;
      lengths.forEach((length, patch) => {
        const bytes = (x: typeof query) => slice(x, 2, start, start + length);
        const rows = (x: typeof query) => slice(x, 2, patch * rowsPerPatch, (patch + 1) * rowsPerPatch);
        const alone = attention(rows(query), bytes(key!), bytes(value!));
        rows(both).data.forEach((number, i) => expect(number).toBeCloseTo(alone.data[i]!, 5));
        start += length;
      });
    }),
  );
});

test("property: with `bytes` as queries, the mask is the transposed one", () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 3 }), (lengths, rowsPerPatch) => {
      const ids = idsOf(lengths);
      const [bytes, rows] = [ids.length, lengths.length * rowsPerPatch];
      const down = rowsSeen(patches(ids, { rowsPerPatch }), rows, bytes);
      const up = rowsSeen(patches(ids, { rowsPerPatch, queries: "bytes" }), bytes, rows);
      expect(up).toEqual(ids.map((_, byte) => down.map((row) => row[byte]).join("")));
    }),
  );
});

test("patches of one byte: each byte sees itself", () => {
  const x = randn([1, 1, 3, 2], { seed: 1 });
  expect([...attentionWeights(x, x, { mask: patches([0, 1, 2]) }).data]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
});

test("golden: two rows per patch, and sequences that differ", () => {
  expect(rowsSeen(patches([0, 1, 1], { rowsPerPatch: 2 }), 4, 3)).toEqual(["100", "100", "011", "011"]);
  const each = patches([
    [0, 1],
    [0, 0],
  ]);
  expect([rowsSeen(each, 2, 2, 0), rowsSeen(each, 2, 2, 1)]).toEqual([
    ["10", "01"],
    ["11", "00"],
  ]);
  expect([each.name, each.perBatch]).toEqual(["patches([2 × 2], patches)", true]);
});

test("invalid ids, too few ids and unknown sides are refused", () => {
  const x = randn([1, 1, 3, 2], { seed: 1 });
  expect(() => attention(x, x, x, { mask: patches([0, 1]) })).toThrow(
    /patches: `patchIds` is "2 ids", expected one for each of 3 bytes.\nFix: give each byte the number of its patch/,
  );
  expect(() => patches([0, -1])).toThrow(/`patchIds` is -1, expected integers, 0 or more/);
  expect(() => patches([0], { queries: "both" as "bytes" })).toThrow(
    /`queries` is "both", expected "patches" or "bytes"/,
  );
  expect(() => patches([0], { rowsPerPatch: 0 })).toThrow(/`rowsPerPatch` is 0/);
});
