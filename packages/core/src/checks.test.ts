import { expect, test } from "vitest";
import {
  checkCounts,
  checkDevice,
  checkFits,
  checkNoBroadcast,
  checkNotEmpty,
  checkNumbers,
  checkOneOf,
  checkSameDevice,
  checkSameType,
  checkSignal,
  checkWholeNumbers,
  numberArray,
  refuseNonTensor,
} from "./checks.js";

test("the types that hold bit patterns are refused where numbers are computed with", () => {
  expect(() => checkNumbers("add", "float32")).not.toThrow();
  expect(() => checkNumbers("add", "bfloat16")).toThrow(
    'add: `dtype` is "bfloat16", expected numbers to compute with.\nFix: this type is for storage: `cast(x, "float32")`',
  );
});

test("two types beside each other are refused with both", () => {
  expect(() => checkSameType("add", "b", "int32", "int32")).not.toThrow();
  expect(() => checkSameType("add", "b", "int32", "float32")).toThrow(
    'add: `b` is "int32", expected float32 like the other operand.\nFix: use `cast(x, dtype)` on one operand.',
  );
  expect(() => checkSameType("matmul", "b", "int32", "float32", "a")).toThrow("expected float32 like a.");
});

test("a number takes the type of the other operand, if that can hold it", () => {
  expect(numberArray("add", "b", 2, "int32")).toEqual(Int32Array.of(2));
  expect(numberArray("add", "b", NaN, "float64")).toEqual(Float64Array.of(NaN));
  for (const [value, dtype] of [
    [0.5, "int32"],
    [300, "uint8"],
    [-1, "uint8"],
    [1, "float16"],
    ["1", "float32"],
  ] as const) {
    expect(() => numberArray("add", "b", value, dtype)).toThrow(
      `add: \`b\` is ${JSON.stringify(value)}, expected a tensor, or a number that ${dtype} can hold`,
    );
  }
});

test("a name that is not known is refused with those that are", () => {
  expect(() => checkOneOf("gelu", "approximate", "tanh", ["none", "tanh"], "leave it out.")).not.toThrow();
  expect(() => checkOneOf("f", "mode", "x", ["a", "b", "c"], "leave it out.")).toThrow(
    'f: `mode` is "x", expected "a", "b" or "c".\nFix: leave it out.',
  );
});

test("nothing to compare is refused", () => {
  expect(() => checkNotEmpty("max", [0, 2], [1])).not.toThrow();
  expect(() => checkNotEmpty("max", [0, 2], [0])).toThrow(
    "max: `x` has shape [0, 2], expected at least one element",
  );
});

test("bools are refused where numbers are added", () => {
  expect(() => checkCounts("add", "a", "uint8")).not.toThrow();
  expect(() => checkCounts("add", "a", "bool")).toThrow(
    'add: `a` is "bool", expected numbers.\nFix: `cast(x, "int32")` to count with them',
  );
});

test("two devices are refused, and two plain ones are one", () => {
  const [gpu, wasm] = [{ name: "gpu" }, { name: "wasm" }];
  expect(() => checkSameDevice("add", gpu, gpu)).not.toThrow();
  expect(() => checkSameDevice("add", { name: "js" }, { name: "js" })).not.toThrow();
  expect(() => checkSameDevice("add", { name: "gpu" }, gpu)).toThrow(/gpu beside gpu/);
  expect(() => checkSameDevice("add", gpu, wasm)).toThrow(
    'add: `device` is "wasm beside gpu", expected all inputs on one device.\nFix: move one side',
  );
});

test("what is no tensor is refused", () => {
  expect(() => refuseNonTensor("add", "a", "1")).toThrow(
    'add: `a` is "1", expected a tensor.\nFix: make one with `tensor(values, { shape })`.',
  );
});

test("a tensor of another type or shape is refused with both, and why", () => {
  const wanted = { dtype: "float32", shape: [2, 3] } as const;
  const check = (dtype: "float32" | "float64", shape: number[]) =>
    checkFits("f", "weight", { dtype, shape }, wanted, "as x has rows", "use another.");
  expect(() => check("float32", [2, 3])).not.toThrow();
  expect(() => check("float64", [2, 3])).toThrow(
    'f: `weight` is "float64 [2, 3]", expected float32 [2, 3], as x has rows.\nFix: use another.',
  );
  expect(() => check("float32", [3, 2])).toThrow('`weight` is "float32 [3, 2]"');
});

test("a broadcast view is not written to; one without elements, or with one element an axis, may be", () => {
  const check = (shape: number[], strides: number[]) => () =>
    checkNoBroadcast("write", "target", { shape, strides });
  expect(check([2, 3], [0, 1])).toThrow(/^write: `target` is "a broadcast view \(stride 0\)"/);
  expect(check([1, 3], [0, 1])).not.toThrow();
  expect(check([2, 0, 3], [0, 3, 1])).not.toThrow();
});

test("a list of whole numbers is one, and a number by itself is put in brackets", () => {
  expect(() => checkWholeNumbers("reshape", "shape", [2, -1])).not.toThrow();
  for (const value of [2, null, [1.5], ["2"], undefined])
    expect(() => checkWholeNumbers("reshape", "shape", value)).toThrow(
      /^reshape: `shape` is .*\nFix: write them in brackets/,
    );
});

test("a device is one that takes numbers in; its name and its promise are none", () => {
  expect(() => checkDevice("zeros", { fromHost: () => undefined })).not.toThrow();
  for (const device of ["wasm", Promise.resolve(), null, {}])
    expect(() => checkDevice("zeros", device)).toThrow(
      /^zeros: `device` is .*, expected a device.\nFix: make one: `await wasm/,
    );
});

test("the signal of a controller passes, and none; the controller itself is refused with the fix", () => {
  const controller = new AbortController();
  for (const signal of [undefined, controller.signal, AbortSignal.abort()]) checkSignal("load", signal);
  expect(() => checkSignal("load", controller)).toThrow(
    "load: `signal` is an AbortController, expected an AbortSignal.\nFix: write `signal: controller.signal`.",
  );
  for (const signal of [null, 5, {}, { signal: 1 }]) {
    expect(() => checkSignal("load", signal)).toThrow(
      /expected an AbortSignal\.\nFix: give `controller\.signal`/,
    );
  }
});
