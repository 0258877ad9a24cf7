import { concat, randn, slice } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { shiftTokens } from "./shift-tokens.js";

const none = { state: undefined, documents: undefined, padding: undefined };
const few = (max: number) => fc.integer({ min: 1, max });

test("golden: each row is the previous one, the first row is zeros, and the state is the last row", () => {
  const x = randn([1, 3, 2], { seed: 1 });
  const { previous, state } = shiftTokens(x, none);
  expect([...previous.data]).toEqual([0, 0, ...x.data.slice(0, 4)]);
  expect([...state.data]).toEqual([...x.data.slice(4)]);
});

test("property: two calls with the state equal one call", () => {
  fc.assert(
    fc.property(few(3), few(4), few(4), few(3), few(99), (B, first, second, C, seed) => {
      const x = randn([B, first + second, C], { seed });
      const start = shiftTokens(slice(x, 1, 0, first), none);
      const end = shiftTokens(slice(x, 1, first), { ...none, state: start.state });
      const fullOutput = shiftTokens(x, none);
      expect(concat([start.previous, end.previous], 1).data).toEqual(fullOutput.previous.data);
      expect(end.state.data).toEqual(fullOutput.state.data);
    }),
  );
});

test("property: rows are not shifted across documents, and the state is the last row without padding", () => {
  fc.assert(
    fc.property(few(4), few(4), few(3), few(3), few(99), (first, second, padded, C, seed) => {
      const T = first + second + padded;
      const x = randn([1, T, C], { seed });
      const documents = Array.from({ length: T }, (_, t) => (t < first ? 0 : 1));
      const { previous, state } = shiftTokens(x, { ...none, documents, padding: [first + second] });
      const alone = shiftTokens(slice(x, 1, first, first + second), none);
      expect([...slice(previous, 1, first, first + second).data]).toEqual([...alone.previous.data]);
      expect([...slice(previous, 1, 0, first).data]).toEqual([
        ...shiftTokens(slice(x, 1, 0, first), none).previous.data,
      ]);
      expect([...state.data]).toEqual([...alone.state.data]);
    }),
  );
});

test("a batch element with only padding keeps its state", () => {
  const [x, state] = [randn([2, 2, 3], { seed: 1 }), randn([2, 1, 3], { seed: 2 })];
  const shifted = shiftTokens(x, { ...none, state, padding: [0, 1] });
  expect([...shifted.state.data]).toEqual([...state.data.slice(0, 3), ...x.data.slice(6, 9)]);
  expect([...shifted.previous.data.slice(6, 9)]).toEqual([...state.data.slice(3)]);
});
