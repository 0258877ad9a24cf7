import { expect, test } from "vitest";
import { parseEquation } from "./einsum-equation.js";

test("an equation gives the labels of all axes and their lengths", () => {
  const { operands, result, sizes } = parseEquation("ij, jk -> ki", [
    [2, 3],
    [3, 4],
  ]);
  expect(operands).toEqual([
    ["i", "j"],
    ["j", "k"],
  ]);
  expect(result).toEqual(["k", "i"]);
  expect([...sizes].sort()).toEqual([
    ["", 1],
    ["i", 2],
    ["j", 3],
    ["k", 4],
  ]);
});

test("without an arrow, the result has the axes of `...`, then the letters that occur once, in alphabetical order", () => {
  expect(parseEquation("b...a,a", [[2, 5, 6, 3], [3]]).result).toEqual([".2", ".1", "b"]);
  expect(parseEquation("ii", [[2, 2]]).result).toEqual([]);
  // As in NumPy: "ba" transposes.
  expect(parseEquation("ba", [[2, 3]]).result).toEqual(["a", "b"]);
});

test("an axis of length 1 that is broadcast has an empty label", () => {
  const { operands, sizes } = parseEquation("ij,ij->i", [
    [2, 1],
    [2, 3],
  ]);
  expect(operands).toEqual([
    ["i", ""],
    ["i", "j"],
  ]);
  expect(sizes.get("j")).toBe(3);
  expect(parseEquation("i->i", [[1]]).operands).toEqual([["i"]]);
  expect(parseEquation("i,i->i", [[0], [1]]).sizes.get("i")).toBe(0);
});

test("malformed equations are refused with the fix", () => {
  expect(() => parseEquation("i1", [[2, 2]])).toThrow(/einsum: `equation` is "i1".*\nFix: write it like/);
  expect(() => parseEquation("i,i", [[2]])).toThrow(/an operand for each of the 1 tensors/);
  expect(() => parseEquation("i->ii", [[2]])).toThrow(/names "i" once/);
  expect(() => parseEquation("ij->i", [[2]])).toThrow(/`tensors\[0\]` is "1 axes", expected 2/);
  expect(() => parseEquation("ij,j->i", [[2, 3], [4]])).toThrow(
    /`tensors\[1\]` has shape \[4\], expected length 3 at axis 0, "j"/,
  );
});
