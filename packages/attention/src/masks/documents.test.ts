import { concat, randn, slice, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { and } from "./and.js";
import { causal } from "./causal.js";
import { describe } from "./describe.js";
import { documents } from "./documents.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

const lengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
const idsOf = (lengths: readonly number[]) => lengths.flatMap((length, id) => Array<number>(length).fill(id));

test("property: packed documents give the same as each document by itself, bit for bit", () => {
  fc.assert(
    fc.property(lengths, fc.nat(1000), fc.boolean(), (lengths, seed, ahead) => {
      const parts = lengths.map((length, n) =>
        [0, 1, 2].map((role) => randn([1, 2, length, 3], { seed: seed + 10 * n + role })),
      ) as [Tensor, Tensor, Tensor][];
      const [query, key, value] = [0, 1, 2].map((role) =>
        concat(
          parts.map((part) => part[role]!),
          2,
        ),
      ) as [Tensor, Tensor, Tensor];
      const own = documents(idsOf(lengths));
      const packed = attention(query, key, value, { mask: ahead ? and(causal(), own) : own });
      let start = 0;
      lengths.forEach((length, n) => {
        const alone = attention(...parts[n]!, ahead ? { mask: causal() } : {});
        expect(slice(packed, 2, start, start + length).data).toEqual(alone.data);
        start += length;
      });
    }),
  );
});

test("golden: a document in two pieces, and sequences packed differently", () => {
  expect(rowsSeen(documents([7, 7, 3, 7]), 4)).toEqual(["1101", "1101", "0010", "1101"]);
  const each = documents([Int32Array.of(0, 0, 1), [0, 1, 1]]);
  expect(rowsSeen(each, 3, 3, 0)).toEqual(["110", "110", "001"]);
  expect(rowsSeen(each, 3, 3, 1)).toEqual(["100", "011", "011"]);
  expect([each.perBatch, each.name]).toEqual([true, "documents([2 × 3])"]);
  expect([documents([0]).perBatch, documents([0, 1]).name]).toEqual([false, "documents([2])"]);
});

test("for documents of equal length, the number of computed tiles is linear in T", () => {
  const visited = (T: number) => {
    const ids = Array.from({ length: T }, (_, i) => Math.floor(i / 128));
    const { tiles } = describe(and(causal(), documents(ids)), { queryLength: T, keyLength: T });
    return tiles.some + tiles.all;
  };
  // Two by two tiles of 64 for each document of 128, one of them in the future.
  expect([256, 512, 1024].map(visited)).toEqual([6, 12, 24]);
});

test("more ids than positions are allowed; too few ids, or no list for a sequence, are refused", () => {
  expect(rowsSeen(documents([0, 0, 1, 1]), 3)).toEqual(["110", "110", "001"]);
  const x = randn([2, 1, 3, 2], { seed: 1 });
  expect(() => attention(x, x, x, { mask: documents([0, 1]) })).toThrow(
    /documents: `ids` is "2 ids", expected one for each of 3 positions.\nFix: give each position the number/,
  );
  expect(() => attention(x, x, x, { mask: documents([[0, 1, 1]]) })).toThrow(
    /`ids` is "1 in all", expected 2, one per batch element/,
  );
  expect(() => documents([0, NaN])).toThrow(/`ids` is NaN, expected numbers, one for each position/);
});
