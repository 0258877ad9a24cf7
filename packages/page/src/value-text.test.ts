import { expect, test } from "vitest";
import { valueText } from "./value-text.js";

const circle: unknown[] = [1];
circle.push(circle);

const values: [unknown, string][] = [
  ["text", "text"],
  [["text"], '["text"]'],
  [-0, "-0"],
  [3n, "3n"],
  [undefined, "undefined"],
  [[], "[]"],
  [{ a: { b: null } }, "{ a: { b: null } }"],
  [new Map([["a", 1]]), 'Map(1) { "a" => 1 }'],
  [new Set([1]), "Set(1) { 1 }"],
  [new Float32Array([0.1, 2]), "[0.1, 2]"],
  [new Float64Array([1 / 3, 2e-8 / 3]), "[0.333333, 6.66667e-9]"],
  [[123456789.25, 2 ** 53, 0.1234567], "[123456789, 9007199254740992, 0.123457]"],
  [new TypeError("no"), "TypeError: no"],
  [circle, "[1, [circular]]"],
  [Math.max, "[function max]"],
  [{ a: { b: { c: { d: {} } } } }, "{ a: { b: { c: { d: {…} } } } }"],
];

test.each(values.map(([value, text]) => ({ value, text })))("$text", ({ value, text }) => {
  expect(valueText(value)).toBe(text);
});

test("a long list ends with its count", () => {
  const text = valueText(Array.from({ length: 1000 }, (_, i) => i));
  expect(text).toMatch(/, 99, … 1000 in all\]$/);
});

test("items of a long list that are not shown are not read", () => {
  const long = Array.from({ length: 1000 }, (_, i) => i);
  Object.defineProperty(long, 500, { get: () => expect.unreachable("it was read") });
  const text = valueText(long);
  expect(valueText(new Set(long.slice(0, 400)))).toMatch(/^Set\(400\) \{.*, 99, … 400 in all \}$/);
  expect(text).toMatch(/, 99, … 1000 in all\]$/);
  const start = performance.now();
  expect(valueText(new Float32Array(5e7))).toMatch(/^\[0, .* … 50000000 in all\]$/);
  expect(performance.now() - start).toBeLessThan(1000);
});

test("an object that is too wide for one line has a line for each field", () => {
  expect(valueText({ first: "x".repeat(50), second: "y".repeat(50) })).toBe(
    `{\n  first: "${"x".repeat(50)}",\n  second: "${"y".repeat(50)}"\n}`,
  );
});

test("an object with shape, dtype and toString is a tensor: its shape, then its text", () => {
  const tensor = {
    shape: [2, 2],
    dtype: "float32",
    data: [1, 2, 3, 4],
    toString: () => "[[1, 2],\n [3, 4]]",
  };
  expect(valueText(tensor)).toBe("[2, 2] [[1, 2],\n [3, 4]]");
  expect(valueText({ shape: [1], data: [5] })).toBe("{ shape: [1], data: [5] }");
});
