import { expect, test } from "vitest";
import {
  checkComputeDtype,
  checkDevice,
  checkFits,
  checkNoBroadcast,
  checkNotBool,
  checkNotEmpty,
  checkOneOf,
  checkSameDevice,
  checkSameType,
  checkSignal,
  checkIntegers,
  numberArray,
  refuseNonTensor,
} from "./checks.js";

test("checkComputeDtype refuses float16 and bfloat16", () => {
  expect(() => checkComputeDtype("add", "float32")).not.toThrow();
  expect(() => checkComputeDtype("add", "bfloat16")).toThrow(
    'add: `dtype` is "bfloat16", expected numbers to compute with.\nFix: this type is for storage: `cast(x, "float32")`',
  );
});

test("checkSameType refuses different dtypes, and the error names both", () => {
  expect(() => checkSameType("add", "b", "int32", "int32")).not.toThrow();
  expect(() => checkSameType("add", "b", "int32", "float32")).toThrow(
    'add: `b` is "int32", expected float32 like the other operand.\nFix: use `cast(x, dtype)` on one operand.',
  );
  expect(() => checkSameType("matmul", "b", "int32", "float32", "a")).toThrow("expected float32 like a.");
});

test("numberArray converts a number to the dtype, and refuses numbers that the dtype cannot hold", () => {
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

test("checkOneOf refuses an unknown name, and the error lists the known ones", () => {
  expect(() => checkOneOf("gelu", "approximate", "tanh", ["none", "tanh"], "leave it out.")).not.toThrow();
  expect(() => checkOneOf("f", "mode", "x", ["a", "b", "c"], "leave it out.")).toThrow(
    'f: `mode` is "x", expected "a", "b" or "c".\nFix: leave it out.',
  );
  expect(() => checkOneOf("f", "mode", "x", ["a"], "leave it out.")).toThrow(
    'f: `mode` is "x", expected "a".\nFix: leave it out.',
  );
});

test("checkNotEmpty refuses reduced axes of length 0", () => {
  expect(() => checkNotEmpty("max", [0, 2], [1])).not.toThrow();
  expect(() => checkNotEmpty("max", [0, 2], [0])).toThrow(
    "max: `x` has shape [0, 2], expected at least one element",
  );
});

test("checkNotBool refuses bools", () => {
  expect(() => checkNotBool("add", "a", "uint8")).not.toThrow();
  expect(() => checkNotBool("add", "a", "bool")).toThrow(
    'add: `a` is "bool", expected numbers.\nFix: `cast(x, "int32")` to count with them',
  );
});

test("checkSameDevice refuses different devices, but accepts two `js` devices", () => {
  const [gpu, wasm] = [{ name: "gpu" }, { name: "wasm" }];
  expect(() => checkSameDevice("add", gpu, gpu)).not.toThrow();
  expect(() => checkSameDevice("add", { name: "js" }, { name: "js" })).not.toThrow();
  expect(() => checkSameDevice("add", { name: "gpu" }, gpu)).toThrow(/gpu beside gpu/);
  expect(() => checkSameDevice("add", gpu, wasm)).toThrow(
    'add: `device` is "wasm beside gpu", expected all inputs on one device.\nFix: move one side',
  );
});

test("refuseNonTensor throws an error that describes the value", () => {
  expect(() => refuseNonTensor("add", "a", "1")).toThrow(
    'add: `a` is "1", expected a tensor.\nFix: make one with `tensor(values, { shape })`.',
  );
});

test("checkFits refuses another dtype or shape; the error has both and the reason", () => {
  const wanted = { dtype: "float32", shape: [2, 3] } as const;
  const check = (dtype: "float32" | "float64", shape: number[]) =>
    checkFits("f", "weight", { dtype, shape }, wanted, "as x has rows", "use another.");
  expect(() => check("float32", [2, 3])).not.toThrow();
  expect(() => check("float64", [2, 3])).toThrow(
    'f: `weight` is "float64 [2, 3]", expected float32 [2, 3], as x has rows.\nFix: use another.',
  );
  expect(() => check("float32", [3, 2])).toThrow('`weight` is "float32 [3, 2]"');
});

test("checkNoBroadcast refuses broadcast views, unless they are empty or no element is repeated", () => {
  const check = (shape: number[], strides: number[]) => () =>
    checkNoBroadcast("write", "target", { shape, strides });
  expect(check([2, 3], [0, 1])).toThrow(/^write: `target` is "a broadcast view \(stride 0\)"/);
  expect(check([1, 3], [0, 1])).not.toThrow();
  expect(check([2, 0, 3], [0, 3, 1])).not.toThrow();
});

test("checkIntegers accepts lists of integers, and suggests brackets for a single number", () => {
  expect(() => checkIntegers("reshape", "shape", [2, -1])).not.toThrow();
  for (const value of [2, null, [1.5], ["2"], undefined])
    expect(() => checkIntegers("reshape", "shape", value)).toThrow(
      /^reshape: `shape` is .*\nFix: write them in brackets/,
    );
});

test("checkDevice accepts objects with `fromHost`, and refuses names and promises of devices", () => {
  expect(() => checkDevice("zeros", { fromHost: () => undefined })).not.toThrow();
  for (const device of ["wasm", Promise.resolve(), null, {}])
    expect(() => checkDevice("zeros", device)).toThrow(
      /^zeros: `device` is .*, expected a device.\nFix: make one: `await wasm/,
    );
});

test("checkSignal accepts an AbortSignal and undefined, and refuses an AbortController with the fix", () => {
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
