import { expect, test } from "vitest";
import { compareExactly, compareIds, compareNumbers, compareText, passes } from "./check.js";

const vector = (...values: number[]) => ({ shape: [values.length], values });
const errorOf = (ours: number[], reference: number[]) =>
  compareNumbers("y", vector(...ours), vector(...reference), 1e-3).error;

test("the error is relative to the largest reference value above 1, and absolute below", () => {
  expect(errorOf([0.5, 0.25], [0.5, 0.5])).toBe(0.25);
  expect(errorOf([8, 1], [8, 2])).toBe(1 / 8);
  const absolute = compareNumbers("y", vector(8, 1), vector(8, 2), 1e-3, { absolute: true });
  expect(absolute.error).toBe(1);
});

test("an error equal to the tolerance passes, a greater one and NaN do not", () => {
  const check = { output: "y", tolerance: 0.5 };
  expect(passes({ ...check, error: 0.5 })).toBe(true);
  expect(passes({ ...check, error: 0.5000001 })).toBe(false);
  expect(passes({ ...check, error: NaN })).toBe(false);
});

test("infinities and NaN must match in position and sign", () => {
  const special = [Infinity, -Infinity, NaN, 1];
  expect(errorOf(special, special)).toBe(0);
  expect(errorOf([-Infinity, -Infinity, NaN, 1], special)).toBe(Infinity);
  expect(errorOf([Infinity, -3.4e38, NaN, 1], special)).toBe(Infinity);
  expect(errorOf([Infinity, -Infinity, 0, 1], special)).toBe(Infinity);
  expect(errorOf([Infinity, -Infinity, NaN, NaN], special)).toBe(Infinity);
});

test("infinities of the reference do not dilute the error of its finite entries", () => {
  expect(errorOf([Infinity, 1], [Infinity, 2])).toBe(0.5);
});

test("shapes must be equal, whatever the elements", () => {
  const row = { shape: [1, 2], values: [1, 2] };
  const check = compareNumbers("y", vector(1, 2), row, 1e-3);
  expect(passes(check)).toBe(false);
  expect(check.detail).toBe("shape [2], expected [1, 2]");
  expect(passes(compareExactly("y", row, vector(1, 2)))).toBe(false);
});

test("a mismatch contains its index", () => {
  const ours = { shape: [2, 3], values: [0, 0, 0, 0, NaN, 0] };
  const reference = { shape: [2, 3], values: [0, 0, 0, 0, 5, 0] };
  expect(compareNumbers("y", ours, reference, 1).detail).toBe("NaN at [1, 1], expected 5");
});

test("ids and texts are equal or not", () => {
  expect(passes(compareIds("ids", [1, 2], [1, 2]))).toBe(true);
  expect(compareIds("ids", [1, 3], [1, 2]).detail).toBe("3 at [1], expected 2");
  expect(passes(compareIds("ids", [1], [1, 2]))).toBe(false);
  expect(passes(compareText("text", "naïve", "naïve"))).toBe(true);
  expect(compareText("text", "one two", "one too").detail).toBe(
    '"one two" around character 5, expected "one too"',
  );
  expect(passes(compareText("text", "one", "one two"))).toBe(false);
});
