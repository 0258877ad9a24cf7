import fc from "fast-check";
import { expect, test } from "vitest";
import { codeFromHash, hashWith, valuesFromHash } from "./link-code.js";

test("property: code round-trips through a link, together with that of other examples", () => {
  const text = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const both = hashWith(hashWith("#a-heading", "one", { code: a }), "two", { code: b });
      expect(codeFromHash(both, "one")).toBe(a);
      expect(codeFromHash(both, "two")).toBe(b);
      const without = hashWith(both, "one", {});
      expect(codeFromHash(without, "one")).toBe(undefined);
      expect(codeFromHash(without, "two")).toBe(b);
      expect(hashWith(without, "two", {})).toBe("");
    }),
  );
});

test("the hash of a heading is kept while nothing is changed", () => {
  expect(hashWith("#cost", "one", {})).toBe("#cost");
});

test.each(["", "#cost", "#code.one=%%%", "#code.one=_w", "#code.other=YQ"])("%j contains no code", (hash) => {
  expect(codeFromHash(hash, "one")).toBe(undefined);
});

test("property: values of controls round-trip, together with the code", () => {
  const label = fc.string({ minLength: 1 }).filter((text) => text !== "__proto__");
  const value = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  fc.assert(
    fc.property(fc.dictionary(label, value, { noNullPrototype: true }), fc.string(), (values, code) => {
      const hash = hashWith("#example=one", "one", { code, values });
      expect(JSON.stringify(valuesFromHash(hash, "one"))).toBe(JSON.stringify(values));
      expect(codeFromHash(hash, "one")).toBe(code);
      expect(hashWith(hash, "one", {})).toBe("#example=one");
    }),
  );
});

test.each([
  "",
  "#set.one=%%%",
  `#set.one=${btoa("[[1]]")}`,
  `#set.one=${btoa("null")}`,
  `#set.one=${btoa('{"a":{}}')}`,
])("%j puts nothing into controls", (hash) => expect(valuesFromHash(hash, "one")).toEqual({}));

test("too much code or too many values in a link are ignored", () => {
  const much = "x".repeat(100_000);
  const hash = hashWith("", "one", { code: much, values: { a: much } });
  expect(codeFromHash(hash, "one")).toBe(undefined);
  expect(valuesFromHash(hash, "one")).toEqual({});
});
