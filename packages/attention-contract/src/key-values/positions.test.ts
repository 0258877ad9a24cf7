import { expect, test } from "vitest";
import {
  differByHead,
  firstQueryPosition,
  keyLengths,
  keyPositions,
  positionList,
  positionsAfter,
} from "./positions.js";

test("keyPositions returns consecutive positions, one list for all sequences, or one list each", () => {
  expect(keyPositions({ start: 5 }, 3)).toEqual([Int32Array.of(5, 6, 7)]);
  expect(keyPositions(Int32Array.of(0, 2, 9), 3)).toEqual([Int32Array.of(0, 2, 9)]);
  expect(keyPositions(Int32Array.of(0, 1, 2, -1), 2)).toEqual([Int32Array.of(0, 1), Int32Array.of(2, -1)]);
});

test("positionList finds the list of a sequence and head, whether lists are shared or not", () => {
  // Arguments: number of lists, batch size, batch index, key-value head.
  expect(positionList(1, 3, 2, 1)).toBe(0);
  expect(positionList(3, 3, 2, 1)).toBe(2);
  expect(positionList(6, 3, 2, 1)).toBe(5);
  expect(positionList(2, 1, 0, 1)).toBe(1);
  // Two sequences, five keys: heads differ only if there is a list for each of them.
  const byHead = (length: number) => differByHead(new Int32Array(length), 2, 5);
  expect([5, 10, 20].map(byHead)).toEqual([false, false, true]);
  expect(differByHead({ start: 0 }, 2, 5)).toBe(false);
});

test("firstQueryPosition returns the number that all sequences share, or that of the sequence", () => {
  expect([0, 1].map((batch) => firstQueryPosition(7, batch))).toEqual([7, 7]);
  expect([0, 1].map((batch) => firstQueryPosition(Int32Array.of(3, 4), batch))).toEqual([3, 4]);
});

test("the length of a sequence is its largest position plus 1; the order of the positions does not matter, and -1 is ignored", () => {
  expect(keyLengths({ start: 5 }, 3, 1)).toEqual([8]);
  expect(keyLengths(Int32Array.of(4, 9, 2), 3, 2)).toEqual([10]);
  expect(keyLengths(Int32Array.of(0, 1, 7, -1), 2, 2)).toEqual([2, 8]);
  expect(keyLengths(Int32Array.of(0, 3, 3, -1), 2, 2)).toEqual([4]);
  // Two sequences with two heads each: the larger length of the two heads counts.
  expect(keyLengths(Int32Array.of(0, 4, 1, 3, 2, -1, 0, 7), 2, 2)).toEqual([5, 8]);
});

test("positions of new tokens follow those of the cache, per sequence if lengths differ", () => {
  expect(positionsAfter(undefined, 2)).toEqual({ start: 0 });
  expect(positionsAfter({ length: 4, lengths: Int32Array.of(4, 4) }, 2)).toEqual({ start: 4 });
  expect(positionsAfter({ length: 4, lengths: Int32Array.of(4, 1) }, 2)).toEqual(Int32Array.of(4, 5, 1, 2));
});
