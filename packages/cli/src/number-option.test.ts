import { expect, test } from "vitest";
import { numberOption } from "./number-option.js";

const parse = numberOption("--width", {
  expected: "a number, 1 or more",
  fix: "count from 1.",
  accepts: (value) => value >= 1,
});

test("numbers in JavaScript's syntax are accepted", () => {
  expect(parse("2")).toBe(2);
  expect(parse("1.5e3")).toBe(1500);
});

test.each(["", " ", "two", "2px", "Infinity", "NaN"])("%j is refused as not a number", (text) => {
  expect(() => parse(text)).toThrow(
    `qkv: \`--width\` is ${JSON.stringify(text)}, expected a number, 1 or more.\nFix: count from 1.`,
  );
});

test("a number outside the range is refused with its value", () => {
  expect(() => parse("-1")).toThrow("qkv: `--width` is -1, expected a number, 1 or more.");
});
