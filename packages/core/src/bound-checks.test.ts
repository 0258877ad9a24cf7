import { expect, test } from "vitest";
import { checks } from "./bound-checks.js";
import { FormatError, ShapeError } from "./errors.js";

const check = checks("slidingWindow");

test("refuse throws an ArgumentError with the given facts that names the function", () => {
  const facts = {
    argument: "windowSize",
    received: 0,
    expected: "1 or more",
    fix: "count the query itself.",
  };
  expect(() => check.refuse(facts)).toThrow(
    expect.objectContaining({ name: "ArgumentError", fn: "slidingWindow", ...facts }),
  );
});

test("refuse throws an error of the given class", () => {
  const facts = { argument: "key", received: [2, 3], expected: "[B, H, S, D]", fix: "add axes." };
  expect(() => check.refuse(facts, ShapeError)).toThrow(/^slidingWindow: `key` has shape \[2, 3\], expected/);
});

test("bound facts are used unless a fact is given", () => {
  const file = checks("load", { source: "model.gguf", fix: "fetch the file again." });
  const facts = { argument: "version", received: 9, expected: "2 or 3" };
  expect(() => file.refuse(facts, FormatError)).toThrow(
    "load: `model.gguf: version` is 9, expected 2 or 3.\nFix: fetch the file again.",
  );
  expect(() => file.refuse({ ...facts, fix: "update." }, FormatError)).toThrow(/\nFix: update\.$/);
});

test("a bound class and a bound fix are used by every check", () => {
  const file = checks("load", { source: "model.gguf", fix: "fetch the file again." }, FormatError);
  const calls = [
    () => file.refuse({ argument: "version", received: 9, expected: "2 or 3" }),
    () => file.each({ version: 9 }, () => false, "2 or 3"),
    () => file.oneOf({ version: 9 }, [2, 3]),
  ];
  for (const call of calls) {
    expect(call).toThrow(/^load: `model.gguf: version` is 9, expected 2 or 3.\nFix: fetch the file again.$/);
    expect(call).toThrow(FormatError);
  }
  expect(() => file.whole({ count: -1 }, { min: 0 })).toThrow(/Fix: fetch the file again.$/);
  expect(() => file.whole({ count: -1 }, { min: 0, fix: "count." })).toThrow(/Fix: count.$/);
});

test.each([
  [0, "0"],
  [1.5, "1.5"],
  [NaN, "NaN"],
  [2 ** 53, "9007199254740992"],
  ["4", '"4"'],
  [undefined, "undefined"],
  [null, "null"],
])("whole refuses %o, by name, with the bounds", (windowSize, shown) => {
  expect(() => check.whole({ windowSize }, { min: 1, max: 8, unit: "tokens", fix: "count." })).toThrow(
    `slidingWindow: \`windowSize\` is ${shown}, expected an integer number of tokens, 1 or more and at most 8.\nFix: count.`,
  );
});

test("whole accepts the bounds, and any integer if there are none", () => {
  expect(() => check.whole({ a: 1, b: 8 }, { min: 1, max: 8 })).not.toThrow();
  expect(() => check.whole({ seed: -3 })).not.toThrow();
  expect(() => check.whole({ seed: 0.5 })).toThrow(
    "`seed` is 0.5, expected an integer.\nFix: give an integer.",
  );
});

test("finite refuses values that are not finite, and exclusive bounds", () => {
  const range = { above: 0, below: 1 };
  expect(() => check.finite({ rate: 0.5 }, range)).not.toThrow();
  for (const rate of [0, 1, NaN, Infinity, "0.5", undefined])
    expect(() => check.finite({ rate }, range)).toThrow("expected a finite number, above 0 and below 1.");
});

test("the error names the first invalid value", () => {
  expect(() => check.whole({ a: 1, b: 0, c: 0 }, { min: 1 })).toThrow(/`b` is 0/);
});

test("errors of type and oneOf name the argument, the received and the expected values", () => {
  expect(() => check.type({ f: 5 }, "function")).toThrow("`f` is 5, expected a function.");
  expect(() => check.type({ f: () => 1 }, "function")).not.toThrow();
  expect(() => check.oneOf({ align: "left" }, ["top-left", "bottom-right"])).toThrow(
    '`align` is "left", expected "top-left" or "bottom-right".',
  );
  expect(() => check.oneOf({ bits: 8 }, [4, 8])).not.toThrow();
});

test("list refuses values that are not lists, and names the first item for which the predicate is false", () => {
  const fix = "count tokens.";
  for (const lengths of [[], [1, 2], Int32Array.of(3)])
    expect(() => check.list({ lengths }, "integers", Number.isInteger, fix)).not.toThrow();
  for (const lengths of [undefined, null, 3, "3", {}, new ArrayBuffer(8)])
    expect(() => check.list({ lengths }, "integers")).toThrow(
      /^slidingWindow: `lengths` is .*, expected a list of integers.\nFix: give a list of integers.$/,
    );
  expect(() => check.list({ lengths: [1, 0.5, NaN] }, "integers", Number.isInteger, fix)).toThrow(
    /^slidingWindow: `lengths` is 0.5, expected integers.\nFix: count tokens.$/,
  );
  expect(() => check.list({ lengths: [1, undefined] }, "integers", Number.isInteger)).toThrow(/is undefined/);
});
