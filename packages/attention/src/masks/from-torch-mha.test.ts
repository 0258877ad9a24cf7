import { full, logicalNot, randn, tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "./causal.js";
import { fromTorchKeyPadding, fromTorchMHA } from "./from-torch-mha.js";
import { maskTensor } from "./mask-tensor.js";
import { padding } from "./padding.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

const bools = (shape: readonly number[], seed: number) =>
  tensor(
    Array.from(randn(shape, { seed }).data, (number) => number > 0),
    { shape },
  );

test("property: a query sees the keys for which the tensor is false", () => {
  fc.assert(
    fc.property(fc.nat(1000), (seed) => {
      const x = randn([2, 3, 4, 5], { seed });
      const [square, each] = [bools([4, 4], seed), bools([6, 4, 4], seed)];
      const of = (mask = causal()) => attention(x, x, x, { mask }).data;
      expect(of(fromTorchMHA(square))).toEqual(of(maskTensor(logicalNot(square))));
      const wanted = tensor(logicalNot(each).data, { shape: [2, 3, 4, 4], dtype: "bool" });
      expect(of(fromTorchMHA(each, 3))).toEqual(of(maskTensor(wanted)));
    }),
  );
});

test("golden: torch's causal mask and its padding mask", () => {
  const ignored = tensor([
    [false, true, true],
    [false, false, true],
    [false, false, false],
  ]);
  expect(rowsSeen(fromTorchMHA(ignored), 3)).toEqual(rowsSeen(causal(), 3));
  const ends = fromTorchKeyPadding(
    tensor([
      [false, false, true],
      [false, true, true],
    ]),
  );
  for (const batch of [0, 1])
    expect(rowsSeen(ends, 3, 3, batch)).toEqual(rowsSeen(padding([2, 1]), 3, 3, batch));
});

test("other types and shapes are refused, with the fix", () => {
  expect(() => fromTorchMHA(full([2, 2], 0))).toThrow(
    /fromTorchMHA: `ignored` is "float32", expected bool.*\nFix: a float mask is added to scores: pass it as `bias`/,
  );
  for (const [shape, heads] of [
    [[6, 4, 4], undefined],
    [[6, 4, 4], 4],
    [[4], undefined],
    [[1, 1, 4, 4], 1],
  ] as const) {
    expect(() => fromTorchMHA(bools(shape, 1), heads)).toThrow(
      /`ignored` has shape .*, expected \[T, S\], or \[B · H, T, S\] with `numHeads`/,
    );
  }
  expect(() => fromTorchKeyPadding(bools([2, 3, 4], 1))).toThrow(/fromTorchKeyPadding: `ignored` has shape/);
});
