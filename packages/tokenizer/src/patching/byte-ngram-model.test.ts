import fc from "fast-check";
import { expect, test } from "vitest";
import { byteNgramModel } from "./byte-ngram-model.js";
import { countByteNgrams, writeByteNgrams } from "./byte-ngrams.js";

const utf8 = new TextEncoder();
const model = (text: string, order: number) =>
  byteNgramModel(writeByteNgrams(countByteNgrams(utf8.encode(text), order), 10_000));
const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "é"), maxLength: 40 });

test("property: probabilities are positive and sum to 1, and the entropy is that of this distribution", () => {
  fc.assert(
    fc.property(text, text, fc.nat(4), (counted, before, order) => {
      const entropy = model(counted, order);
      const p = entropy.predict(utf8.encode(before));
      expect(Math.min(...p)).toBeGreaterThan(0);
      expect(p.reduce((sum, x) => sum + x)).toBeCloseTo(1, 12);
      expect(entropy(utf8.encode(before))).toBeCloseTo(-p.reduce((sum, x) => sum + x * Math.log(x), 0), 12);
    }),
  );
});

test("property: a probability depends on the last `context` bytes only", () => {
  fc.assert(
    fc.property(text, text, fc.nat(4), (counted, before, order) => {
      const entropy = model(counted, order);
      expect(entropy.context).toBe(order);
      const bytes = utf8.encode(before);
      const last = bytes.subarray(Math.max(0, bytes.length - order));
      expect(entropy(last)).toBe(entropy(bytes));
    }),
  );
});

test("golden: by hand, without context and with one byte of context", () => {
  // abab: a and b twice each. p0(a) = (2 + 16 / 256) / (4 + 16).
  const p0 = (2 + 16 / 256) / 20;
  const entropy = model("abab", 1);
  expect(entropy.predict(utf8.encode(""))[97]).toBeCloseTo(p0, 12);
  // After a, twice, only b, twice: p(b) = (2 + 8 · p0) / 10, p(a) = 8 · p0 / 10.
  expect(entropy.predict(utf8.encode("a"))[98]).toBeCloseTo((2 + 8 * p0) / 10, 12);
  expect(entropy.predict(utf8.encode("a"))[97]).toBeCloseTo((8 * p0) / 10, 12);
  // Nothing was counted after c, so the probabilities are those of the shorter context.
  expect(entropy.predict(utf8.encode("c"))).toEqual(entropy.predict(utf8.encode("")));
});

test("a model of an empty text gives each byte the same probability", () => {
  expect(model("", 3)(utf8.encode("a"))).toBeCloseTo(Math.log(256), 12);
});

test("the entropy is lower within a frequent word than after it", () => {
  const entropy = model("the cat and the hat and the mat. ".repeat(8), 4);
  const at = (before: string) => entropy(utf8.encode(before));
  expect(at(" th")).toBeLessThan(at(" the "));
});
