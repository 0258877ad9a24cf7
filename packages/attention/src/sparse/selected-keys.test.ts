import { randn, tensor, zeros } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention, attentionWeights } from "../attention.js";
import { and } from "../masks/and.js";
import { causal } from "../masks/causal.js";
import { selectedKeys } from "./selected-keys.js";

const int32 = (values: number[], shape: number[]) => tensor(values, { shape, dtype: "int32" });

test("property: a weight is positive exactly for the listed keys", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(1e6),
      (blockSize, T, seed) => {
        const S = T + 2;
        const blocks = Math.ceil(S / blockSize);
        const indices = Array.from(
          { length: 2 * 2 * T * 2 },
          (_, i) => ((seed + 7 * i * i) % (blocks + 1)) - 1,
        );
        const mask = selectedKeys(int32(indices, [2, 2, T, 2]), blockSize);
        const [q, k] = [zeros([2, 4, T, 2]), zeros([2, 2, S, 2])];
        attentionWeights(q, k, { mask }).data.forEach((weight, i) => {
          const [key, query, head, batch] = [
            i % S,
            Math.floor(i / S) % T,
            Math.floor(i / (S * T)) % 4,
            Math.floor(i / (4 * S * T)),
          ];
          const row = (batch * 2 + Math.floor(head / 2)) * T + query;
          expect(weight > 0).toBe(indices.slice(row * 2, row * 2 + 2).includes(Math.floor(key / blockSize)));
        });
      },
    ),
  );
});

test("property: with all keys listed, combining it with another mask gives that mask", () => {
  const x = randn([1, 2, 4, 3], { seed: 1 });
  const all = int32(
    [...Array(4)].flatMap(() => [3, 1, 2, 0]),
    [1, 4, 4],
  );
  const mask = and(causal(), selectedKeys(all));
  expect(attention(x, x, x, { mask }).data).toEqual(attention(x, x, x, { mask: causal() }).data);
});

test("indices of wrong shapes, dtypes or for other calls are refused", () => {
  expect(() => selectedKeys(int32([1, 2], [2]))).toThrow(
    /selectedKeys: `indices` has shape \[2\], expected \[B, T, k\] or/,
  );
  expect(() => selectedKeys(zeros([1, 2, 2]))).toThrow(
    /selectedKeys: `indices` is "float32", expected of type int32/,
  );
  const x = zeros([1, 3, 2, 2]);
  expect(() => attention(x, x, x, { mask: selectedKeys(int32([0, 0, 0, 0], [1, 2, 2, 1])) })).toThrow(
    /expected indices for B = 1 batches, H = 3 heads and T = 2 queries/,
  );
});
