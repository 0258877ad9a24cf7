import { stridesOf } from "@qkv/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { eachBroadcastRow, eachLine, eachRow } from "./rows.js";

const lengths = fc.array(fc.nat(3), { maxLength: 4 });
/** Strides of random views: row-major strides of a larger shape, permuted, reversed, or 0. */
const view = fc.record({ seed: fc.nat(23), grow: fc.nat(2), zeros: fc.nat(15), negative: fc.nat(15) });

test("property: eachRow visits every element once, in row-major order, whatever the strides", () => {
  fc.assert(
    fc.property(lengths, view, view, (shape, ...views) => {
      const strides = views.map(({ seed, grow, zeros, negative }) => {
        const packed = stridesOf(shape.map((length) => length + grow));
        const order = packed.map((_, axis) => packed[(axis + seed) % packed.length]!);
        return order.map((stride, axis) =>
          zeros & (1 << axis) ? 0 : negative & (1 << axis) ? -stride : stride,
        );
      });
      const offsets = [100, 7];
      let expected = [[...offsets]];
      shape.forEach((length, axis) => {
        expected = expected.flatMap((at) =>
          Array.from({ length }, (_, i) => at.map((from, k) => from + i * strides[k]![axis]!)),
        );
      });
      const visited: number[][] = [];
      eachRow(shape, strides, offsets, (at, step, n) => {
        for (let k = 0; k < n; k++) visited.push(at.map((from, side) => from + k * step[side]!));
      });
      expect(visited).toEqual(expected);
    }),
  );
});

test("contiguous operands of any rank are visited as a single row", () => {
  const rows: number[] = [];
  eachRow([2, 1, 3, 4], [stridesOf([2, 1, 3, 4]), [12, 5, 4, 1]], [0, 0], (_at, _step, n) => rows.push(n));
  expect(rows).toEqual([24]);
});

test("eachBroadcastRow repeats operands of smaller shapes", () => {
  const seen: number[][] = [];
  const row = { shape: [3], strides: [2], offset: 1 };
  const column = { shape: [2, 1], strides: [5, 1], offset: 0 };
  eachBroadcastRow([2, 3], [row, column], (at, step, length) => {
    for (let k = 0; k < length; k++) seen.push(at.map((from, i) => from + k * step[i]!));
  });
  expect(seen.sort(([, a], [, b]) => a! - b!)).toEqual([
    [1, 0],
    [3, 0],
    [5, 0],
    [1, 5],
    [3, 5],
    [5, 5],
  ]);
});

test("eachLine visits each line along an axis in both operands, whose lengths along it may differ", () => {
  const seen: number[][] = [];
  const a = { shape: [2, 1, 3], strides: [3, 3, 1], offset: 100 };
  const b = { shape: [2, 4, 3], strides: [12, 3, 1], offset: 0 };
  eachLine(1, a, b, (i, j) => seen.push([i, j]));
  expect(seen).toEqual([
    [100, 0],
    [101, 1],
    [102, 2],
    [103, 12],
    [104, 13],
    [105, 14],
  ]);
});
