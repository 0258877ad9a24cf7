import { expect, test } from "vitest";
import { defineBrand } from "./brand.js";

const make = (brand: ReturnType<typeof defineBrand>) => ({ [brand.key]: brand.stamp });

test("only values of the kind are recognized", () => {
  const brand = defineBrand("test/Thing", 1, "0.1.0");
  expect(brand.has(make(brand))).toBe(true);
  expect(brand.has(Object.assign(() => 0, make(brand)))).toBe(true);
  for (const other of [null, undefined, 3, "thing", Symbol("thing"), {}, [], () => 0]) {
    expect(brand.has(other)).toBe(false);
  }
  expect(brand.has(make(defineBrand("test/Other", 1, "0.1.0")))).toBe(false);
});

test("two copies of the package with the same contract recognize each other's values", () => {
  const here = defineBrand("test/Thing", 1, "0.1.0");
  const there = defineBrand("test/Thing", 1, "0.2.0");
  expect(there.key).toBe(here.key);
  expect(here.has(make(there))).toBe(true);
  expect(there.has(make(here))).toBe(true);
});

test("a stamp on the prototype of a class brands every instance", () => {
  const brand = defineBrand("test/Thing", 1, "0.1.0");
  class Thing {
    get [brand.key]() {
      return brand.stamp;
    }
  }
  expect(brand.has(new Thing())).toBe(true);
});

test("a value with another contract is refused, and the error has both versions and the fix", () => {
  const here = defineBrand("test/Thing", 1, "0.1.0");
  const there = defineBrand("test/Thing", 2, "0.4.2");
  expect(() => here.has(make(there))).toThrow(
    expect.objectContaining({
      name: "VersionError",
      message:
        'Thing: `version` is "@qkv/test 0.4.2 (contract 2)", expected @qkv/test 0.1.0 (contract 1).\n' +
        "Fix: two versions of @qkv/test are installed that cannot work together; " +
        "run `npm ls @qkv/test` and align them.",
    }),
  );
});
