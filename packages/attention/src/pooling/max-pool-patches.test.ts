import { checkGradient, grad, mul, randn, sum, tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { maxPoolPatches } from "./max-pool-patches.js";

const ids = fc.array(fc.nat(4), { minLength: 1, maxLength: 9 });

test("property: each channel of a patch is the maximum over its bytes, or 0 without bytes", () => {
  fc.assert(
    fc.property(ids, fc.nat(1000), (ids, seed) => {
      const x = randn([2, ids.length, 3], { seed, dtype: "float64" });
      const pooled = maxPoolPatches(x, ids, 6);
      expect(pooled.shape).toEqual([2, 6, 3]);
      pooled.data.forEach((value, i) => {
        const [batch, patch, channel] = [Math.floor(i / 18), Math.floor(i / 3) % 6, i % 3];
        const bytes = ids.flatMap((id, t) =>
          id === patch ? [x.data[(batch * ids.length + t) * 3 + channel]!] : [],
        );
        expect(value).toBe(bytes.length > 0 ? Math.max(...bytes) : 0);
      });
    }),
  );
});

test("patches of one byte change nothing, and ids may differ per sequence", () => {
  const x = randn([2, 4, 3], { seed: 1 });
  expect(maxPoolPatches(x, [0, 1, 2, 3]).data).toEqual(x.data);
  const differ = maxPoolPatches(
    tensor([
      [[1], [2]],
      [[3], [4]],
    ]),
    [
      [0, 0],
      [0, 1],
    ],
  );
  expect(differ.toNested()).toEqual([
    [[2], [0]],
    [[3], [4]],
  ]);
});

test("the gradient equals central differences, and equal maxima share it", () => {
  const x = randn([2, 6, 3], { seed: 1, dtype: "float64" });
  const dy = randn([2, 4, 3], { seed: 2, dtype: "float64" });
  checkGradient((z) => sum(mul(maxPoolPatches(z, [0, 1, 1, 1, 3, 3]), dy)), x);
  const shared = grad((z: typeof x) => sum(maxPoolPatches(z, [0, 0, 0])))(tensor([[[2], [2], [1]]]));
  expect(shared.toNested()).toEqual([[[0.5], [0.5], [0]]]);
});

test("NaN is propagated", () => {
  expect(maxPoolPatches(tensor([[[1], [NaN], [2]]]), [0, 0, 0]).data[0]).toBeNaN();
});

test("ids that do not fit the bytes are refused, with the fix", () => {
  const x = randn([1, 3, 2], { seed: 1 });
  expect(() => maxPoolPatches(x, [0, 1])).toThrow(
    /maxPoolPatches: `patchIds` is "2 ids", expected 3, one for each byte of x.\nFix: give x as \[B, bytes, C\]/,
  );
  expect(() => maxPoolPatches(x, [0, 1, 2], 2)).toThrow(
    /`numPatches` is 2, expected an integer number of patches, 3 or more/,
  );
  expect(() => maxPoolPatches(x, [0, 1, -1])).toThrow(/`patchIds\[0\]` is -1/);
  expect(() => maxPoolPatches(randn([3, 2], { seed: 1 }), [0, 1, 2])).toThrow(
    /`x` has shape \[3, 2\], expected \[B, bytes, C\]/,
  );
});
