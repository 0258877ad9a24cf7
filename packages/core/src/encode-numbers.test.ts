import { expect, test } from "vitest";
import { encodeNumbers, naturalType } from "./encode-numbers.js";

test("numbers are converted to the dtype, and refused if it cannot hold them", () => {
  expect(encodeNumbers("f", [1, -2], "int32")).toEqual(new Int32Array([1, -2]));
  expect(encodeNumbers("f", [1n, true], "uint8")).toEqual(new Uint8Array([1, 1]));
  expect(encodeNumbers("f", new Float64Array([0.5, NaN]), "float32")).toEqual(new Float32Array([0.5, NaN]));
  expect(encodeNumbers("f", [1], "float16")).toEqual(new Uint16Array([0x3c00]));
  expect(() => encodeNumbers("f", [0, 300], "uint8")).toThrow(
    "f: `values[1]` is 300, expected numbers that uint8 holds as they are.\nFix: choose another `dtype`",
  );
  const array = new Int8Array(2);
  expect(encodeNumbers("f", [1, -2], "int8", array)).toBe(array);
  expect([...array]).toEqual([1, -2]);
  expect(() => encodeNumbers("f", ["1"], "float32")).toThrow('f: `value` is "1", expected numbers.');
});

test("the default dtype depends on the type of the values", () => {
  expect(naturalType(new Int8Array(1))).toBe("int8");
  expect(naturalType(new BigInt64Array(1))).toBe("int32");
  expect([naturalType(1n), naturalType(true), naturalType(0.5)]).toEqual(["int32", "bool", "float32"]);
});
