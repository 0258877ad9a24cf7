import { inspect } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ArgumentError,
  describeValue,
  DeviceError,
  FormatError,
  isQkvError,
  QkvError,
  ShapeError,
  VersionError,
} from "./errors.js";

const facts = {
  fn: "slidingWindow",
  argument: "windowSize",
  received: 0,
  expected: "an integer number of tokens, 1 or more",
  fix: "count the query itself: 1 sees only itself.",
};

test("a message has the function, the argument, the received value, the expected value and the fix", () => {
  expect(String(new ArgumentError(facts))).toBe(
    "ArgumentError: slidingWindow: `windowSize` is 0, expected an integer number of tokens, 1 or more.\n" +
      "Fix: count the query itself: 1 sees only itself.",
  );
});

test('a ShapeError says that a tensor "has shape"; other errors say that a list "is" its numbers', () => {
  const list = { ...facts, fn: "attention", argument: "key", received: [2, 3, 16, 64] };
  expect(new ShapeError(list).message).toMatch(/^attention: `key` has shape \[2, 3, 16, 64\], expected /);
  expect(new ShapeError({ ...list, argument: "shape" }).message).toMatch(/`shape` is \[2, 3, 16, 64\]/);
  for (const Kind of [QkvError, ArgumentError, FormatError, DeviceError, VersionError])
    expect(new Kind(list).message).toMatch(/^attention: `key` is \[2, 3, 16, 64\], expected /);
});

test("the message of an invalid field names the file, and `source` is a field of the error", () => {
  const error = new FormatError({ ...facts, source: "model.gguf", argument: "version" });
  expect(error.message).toMatch(/^slidingWindow: `model\.gguf: version` is 0, expected /);
  expect(error).toMatchObject({ source: "model.gguf", argument: "version" });
  expect("source" in new FormatError(facts)).toBe(false);
});

test("for a promise, the fix is to await it", () => {
  const error = new ArgumentError({ ...facts, argument: "device", received: Promise.resolve(1) });
  expect(error.message).toMatch(/^slidingWindow: `device` is a promise \(`await` it\), expected /);
});

test("`received` is not enumerable, so consoles do not print it", () => {
  const received = { data: new Float32Array(100).fill(7), shape: [100] };
  const printed = inspect(new ArgumentError({ ...facts, received }));
  expect(printed).toContain("`windowSize` is an object with keys data, shape");
  expect(printed).not.toContain("Float32Array");
});

test("the facts and the cause are fields of the error", () => {
  const cause = new RangeError("below");
  const error = new FormatError({ ...facts, cause });
  expect(error).toMatchObject(facts);
  expect(error.cause).toBe(cause);
  expect("cause" in new FormatError(facts)).toBe(false);
});

test("each class has its own name and extends Error and QkvError", () => {
  const kinds = { QkvError, ArgumentError, ShapeError, FormatError, DeviceError, VersionError };
  for (const [name, Kind] of Object.entries(kinds)) {
    const error = new Kind(facts);
    expect(error.name).toBe(name);
    expect(error).toBeInstanceOf(QkvError);
    expect(error).toBeInstanceOf(Error);
    expect(error.stack).toContain("errors.test.ts");
  }
});

test("isQkvError recognizes errors of other copies of the package, and nothing else", () => {
  expect(isQkvError(new DeviceError(facts))).toBe(true);
  expect(isQkvError({ [Symbol.for("@qkv/error")]: true })).toBe(true);
  for (const other of [new Error("plain"), null, undefined, "QkvError", { name: "QkvError" }]) {
    expect(isQkvError(other)).toBe(false);
  }
});

test("property: no message is longer than 600 characters, and short parts are kept whole", () => {
  const text = fc.string({ maxLength: 2000 });
  fc.assert(
    fc.property(
      text,
      text,
      text,
      fc.anything(),
      text,
      text,
      (fn, argument, source, received, expected, fix) => {
        const error = new FormatError({ fn, argument, source, received, expected, fix });
        expect(error.message.length).toBeLessThanOrEqual(600);
        expect(error).toMatchObject({ expected, fix });
      },
    ),
  );
  const long = new ArgumentError({
    ...facts,
    received: Array(8).fill("x".repeat(70)),
    expected: "y".repeat(900),
  });
  expect(long.message).toHaveLength(600);
  expect(long.message).toMatch(/\nFix: count the query itself: 1 sees only itself\.$/);
});

test("describeValue has at most 160 characters", () => {
  const rows = Array.from({ length: 8 }, () => Array(8).fill("x".repeat(70)));
  expect(describeValue(rows)).toHaveLength(160);
  expect(describeValue({ ["k".repeat(500)]: 1 })).toHaveLength(160);
  expect(describeValue(new Error("e".repeat(500)))).toHaveLength(160);
});

class Shelf {
  height = 2;
}
function named() {}

test.each([
  [0, "0"],
  [-0, "-0"],
  [NaN, "NaN"],
  [7n, "7n"],
  [null, "null"],
  [undefined, "undefined"],
  [Symbol("s"), "Symbol(s)"],
  ["a\nb", '"a\\nb"'],
  ["x".repeat(81), `"${"x".repeat(77)}…"`],
  [named, "the function named"],
  [() => 1, "the function (anonymous)"],
  [[1, "two", null], '[1, "two", null]'],
  [[1, 2, 3, 4, 5, 6, 7, 8, 9], "[1, 2, 3, 4, 5, 6, 7, 8, … 9 in all]"],
  [[[[[1]]], []], "[[[[…]]], []]"],
  [new Float32Array(3), "a Float32Array of 12 bytes"],
  [new RangeError("too far"), "RangeError (too far)"],
  [/a\.b$/i, "/a\\.b$/i"],
  [new Shelf(), "a Shelf"],
  [{ dtype: "float32", shape: [2, 3] }, "a float32 tensor of shape [2, 3]"],
  [{}, "an object with no keys"],
  [Object.create(null), "an object with no keys"],
  [{ a: 1, b: 2 }, "an object with keys a, b"],
  [{ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1 }, "an object with keys a, b, c, d, e, f, …"],
])("describeValue(%o) is one short line", (value, line) => {
  expect(describeValue(value)).toBe(line);
});

test("a deeply nested value is described without recursion to its end", () => {
  expect(describeValue(JSON.parse("[".repeat(100_000) + "]".repeat(100_000)))).toBe("[[[[…]]]]");
});
