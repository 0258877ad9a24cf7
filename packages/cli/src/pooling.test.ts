import { tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { pooled } from "./pooling.js";

test("the mean of all rows, the first or the last", () => {
  const rows = tensor([
    [
      [1, 2],
      [3, 4],
      [8, 9],
    ],
  ]);
  expect(pooled(rows, "mean").toNested()).toEqual([[4, 5]]);
  expect(pooled(rows, "cls").toNested()).toEqual([[1, 2]]);
  expect(pooled(rows, "last").toNested()).toEqual([[8, 9]]);
});
