import { zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { storedPositions } from "./stored-positions.js";

/** Paged blocks of two tokens for two sequences of the given lengths. */
const pages = (length: Int32Array) => ({
  data: zeros([4, 1, 2, 1]),
  table: Int32Array.of(0, 1, 2, 3),
  blockLength: 2,
  length,
});

test("pages of sequences of different lengths are padded with -1, and a segment after them has its own positions", () => {
  const tail = zeros([2, 1, 2, 1]);
  const key = [pages(Int32Array.of(3, 1)), tail];
  const positions = Int32Array.of(0, 1, 2, 7, 8, 0, 9, 9, 3, 4);
  expect([...(storedPositions({ key, value: key, positions }, 2) as Int32Array)]).toEqual([
    ...[0, 1, 2, 7, 8],
    ...[0, -1, -1, 3, 4],
  ]);
  expect([...(storedPositions({ key, value: key, positions: { start: 5 } }, 2) as Int32Array)]).toEqual([
    ...[5, 6, 7, 8, 9],
    ...[5, -1, -1, 8, 9],
  ]);
});

test("a single list of positions applies to each sequence", () => {
  const key = [pages(Int32Array.of(2, 1))];
  expect([
    ...(storedPositions({ key, value: key, positions: Int32Array.of(4, 9) }, 2) as Int32Array),
  ]).toEqual([4, 9, 4, -1]);
});

test("if all sequences have the same length, the positions are returned unchanged", () => {
  const positions = { start: 4 };
  const key = [zeros([2, 1, 3, 1])];
  expect(storedPositions({ key, value: key, positions }, 2)).toBe(positions);
});
