import { expect, test } from "vitest";
import { arange, tensor, zeros } from "./create.js";
import { cast } from "./ops/cast.js";
import { reshape } from "./ops/reshape.js";
import { transpose } from "./ops/transpose.js";

test.each([
  ["a number", tensor(1.5), "1.5"],
  ["a vector", tensor([1, 2, 3]), "[1, 2, 3]"],
  [
    "columns aligned",
    tensor([
      [1, -20],
      [300, 4],
    ]),
    "[[  1, -20],\n [300,   4]]",
  ],
  ["four decimals", tensor([0.123456, 1.23456, 123456.75]), "[   0.1235,    1.2346, 123456.75]"],
  ["the very small and the very large", tensor([1e-8, 1e30]), "[ 1e-8, 1e+30]"],
  ["what is no number", tensor([NaN, -Infinity, 0]), "[      NaN, -Infinity,         0]"],
  ["bools", tensor([[true, false]]), "[[ true, false]]"],
  ["16-bit floats as numbers", cast(tensor([0.5, 2]), "bfloat16"), "[0.5,   2]"],
  [
    "a view",
    transpose(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    ),
    "[[1, 3],\n [2, 4]]",
  ],
  ["nothing", zeros([0]), "[]"],
  ["rows of nothing", zeros([2, 0]), "[[],\n []]"],
  [
    "blocks with an empty line between them",
    reshape(arange(8), [2, 2, 2]),
    "[[[0, 1],\n  [2, 3]],\n\n [[4, 5],\n  [6, 7]]]",
  ],
])("golden: %s", (_, x, text) => {
  expect(String(x)).toBe(text);
});

test("golden: long axes are abbreviated in the middle, short ones are not", () => {
  expect(String(arange(1001))).toBe("[   0,    1,    2, ...,  998,  999, 1000]");
  expect(String(reshape(arange(2002), [2, 1001]))).toBe(
    "[[   0,    1,    2, ...,  998,  999, 1000],\n [1001, 1002, 1003, ..., 1999, 2000, 2001]]",
  );
  expect(String(arange(1000)).split(",").length).toBe(1000);
  // Of a short axis everything is shown, however many numbers there are.
  expect(String(reshape(arange(1500), [5, 300])).match(/\.\.\./g)).toHaveLength(5);
  expect(String(reshape(arange(1500), [300, 5])).split("\n")).toHaveLength(7);
});
