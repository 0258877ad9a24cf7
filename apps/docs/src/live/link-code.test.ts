import fc from "fast-check";
import { expect, test } from "vitest";
import { codeFromHash, hashWithCode } from "./link-code.js";

test("property: code comes back from the link, beside that of other examples", () => {
  const text = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const both = hashWithCode(hashWithCode("#a-heading", "one", a), "two", b);
      expect(codeFromHash(both, "one")).toBe(a);
      expect(codeFromHash(both, "two")).toBe(b);
      const without = hashWithCode(both, "one", undefined);
      expect(codeFromHash(without, "one")).toBe(undefined);
      expect(codeFromHash(without, "two")).toBe(b);
      expect(hashWithCode(without, "two", undefined)).toBe("");
    }),
  );
});

test("a heading's hash stays while nothing is changed", () => {
  expect(hashWithCode("#cost", "one", undefined)).toBe("#cost");
});

test.each(["", "#cost", "#code.one=%%%", "#code.one=_w", "#code.other=YQ"])("%j carries no code", (hash) => {
  expect(codeFromHash(hash, "one")).toBe(undefined);
});
