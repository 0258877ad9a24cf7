import { ShapeError } from "@qkv/core";
import { randn, slice, tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention, attentionWeights } from "../attention.js";
import { causal } from "./causal.js";
import { maskTensor } from "./mask-tensor.js";

const [B, H, T, S] = [2, 3, 2, 4] as const;
const query = randn([B, H, T, 3], { seed: 1 });
const key = randn([B, H, S, 3], { seed: 2 });

/** A bool tensor of a shape, from the bits of a number. */
const bools = (shape: readonly number[], bits: number) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Array.from({ length: size }, (_, i) => ((bits >> (i % 30)) & 1) === 1),
    { shape, dtype: "bool" },
  );
};

test("property: a weight is positive exactly where the broadcast tensor is true", () => {
  const shape = fc
    .tuple(fc.constantFrom(B, 1), fc.constantFrom(H, 1), fc.constantFrom(T, 1), fc.constantFrom(S, 1))
    .chain((full) => fc.nat(4).map((dropped) => full.slice(dropped)));
  fc.assert(
    fc.property(shape, fc.nat(2 ** 30 - 1), (shape, bits) => {
      const visible = bools(shape, bits);
      const weights = attentionWeights(query, key, { mask: maskTensor(visible) });
      const padded = [1, 1, 1, 1, ...shape].slice(-4) as [number, number, number, number];
      weights.data.forEach((weight, i) => {
        const place = [
          Math.floor(i / (H * T * S)),
          Math.floor(i / (T * S)) % H,
          Math.floor(i / S) % T,
          i % S,
        ];
        const at = place.reduce((at, n, axis) => at * padded[axis]! + (padded[axis] === 1 ? 0 : n), 0);
        expect(weight > 0).toBe(visible.data[at] === 1);
      });
    }),
  );
});

test("property: a dense causal tensor equals causal()", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(3), (T, earlier) => {
      const [x, all] = [randn([1, 2, T, 3], { seed: 3 }), randn([1, 2, T + earlier, 3], { seed: 4 })];
      const rows = Array.from({ length: T }, (_, i) =>
        Array.from({ length: T + earlier }, (_, j) => j <= i + earlier),
      );
      const written = attention(x, all, all, { mask: maskTensor(tensor(rows)) });
      expect(written.data).toEqual(attention(x, all, all, { mask: causal() }).data);
    }),
  );
});

test("a strided view is read like its contiguous copy", () => {
  const visible = slice(
    tensor([
      [true, false, false, true],
      [false, true, false, true],
      [true, true, true, false],
    ]),
    0,
    1,
  );
  const { data } = attentionWeights(slice(query, 0, 0, 1), slice(key, 0, 0, 1), {
    mask: maskTensor(visible),
  });
  expect([...data.subarray(0, 8)].map((weight) => weight > 0)).toEqual(
    [...visible.data].map((bit) => bit === 1),
  );
});

test("perBatch and perHead follow from the shape of the tensor", () => {
  const [plain, each] = [maskTensor(bools([T, S], 1)), maskTensor(bools([B, H, 1, S], 1))];
  expect([plain.name, plain.perBatch, plain.perHead]).toEqual([`maskTensor([${T}, ${S}])`, false, false]);
  expect([each.perBatch, each.perHead]).toEqual([true, true]);
});

test("a float tensor is refused, with the fix to pass it as `bias`", () => {
  expect(() => maskTensor(randn([2, 2], { seed: 1 }))).toThrow(
    /maskTensor: `visible` is "float32", expected bool.*\nFix: pass numbers that are added to scores as `bias`/,
  );
  expect(() => maskTensor([[true]] as never)).toThrow(/`visible` is .*, expected a tensor/);
});

test("a shape that does not broadcast is refused", () => {
  const run = (shape: number[]) => attention(query, key, key, { mask: maskTensor(bools(shape, 5)) });
  expect(() => run([1, 1, 1, 1, 1])).toThrow(/at most four axes/);
  expect(() => run([T, S + 1])).toThrow(ShapeError);
  expect(() => run([T, S + 1])).toThrow(
    /`visible` has shape \[2, 5\], expected \[…, 2 or 1, 4 or 1\], as there are T = 2 queries and S = 4 keys/,
  );
  expect(() => run([T + 1, S])).toThrow(/`visible` has shape \[3, 4\]/);
  expect(() => run([B, H - 1, T, S])).toThrow(
    /expected \[2 or 1, 3 or 1, T, S\], as there are B = 2 batches and H = 3 heads/,
  );
  expect(() =>
    attention(
      randn([3, H, T, 3], { seed: 1 }),
      randn([3, H, S, 3], { seed: 1 }),
      randn([3, H, S, 3], { seed: 1 }),
      { mask: maskTensor(bools([2, 1, 1, 1], 3)) },
    ),
  ).toThrow(/as there are B = 3 batches and H = 3 heads/);
});
