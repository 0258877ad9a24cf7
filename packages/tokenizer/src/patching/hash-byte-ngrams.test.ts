import fc from "fast-check";
import { expect, test } from "vitest";
import { hashByteNgrams } from "./hash-byte-ngrams.js";

const ids = fc.array(fc.nat(259), { maxLength: 30 });
const options = fc.record({
  order: fc.integer({ min: 1, max: 8 }),
  prime: fc.constantFrom(31, 1_000_000_007, 5_915_587_277, 9_576_890_767),
  buckets: fc.integer({ min: 1, max: 500_002 }),
});

test("property: a bucket depends only on the last n bytes", () => {
  fc.assert(
    fc.property(ids, ids, options, (before, ids, options) => {
      const [alone, afterPrefix] = [
        hashByteNgrams(ids, options),
        hashByteNgrams([...before, ...ids], options),
      ];
      const settled = options.order - 1;
      expect([...afterPrefix.slice(before.length + settled)]).toEqual([...alone.slice(settled)]);
      expect(alone.every((bucket) => bucket >= 0 && bucket < options.buckets)).toBe(true);
    }),
  );
});

test("property: 64-bit wraparound at each step equals wraparound at the end", () => {
  fc.assert(
    fc.property(ids, options, (ids, { order, prime, buckets }) => {
      const hashes = ids.map((_, at) => {
        let hash = 0n; // Horner's rule, the newest byte first, without a bound
        for (let i = order - 1; i >= 0; i--)
          hash = hash * BigInt(prime) + BigInt(ids[at - order + 1 + i] ?? 0);
        const size = BigInt(buckets);
        return Number(((BigInt.asIntN(64, hash) % size) + size) % size);
      });
      expect([...hashByteNgrams(ids, { order, prime, buckets })]).toEqual(hashes);
    }),
  );
});

test("ids and options that are not integers are refused", () => {
  const good = { order: 2, prime: 31, buckets: 10 };
  expect(() => hashByteNgrams([0.5], good)).toThrow(/hashByteNgrams: `ids` is 0.5, expected integers/);
  expect(() => hashByteNgrams([1], { ...good, order: 0 })).toThrow(
    /`order` is 0, expected an integer number of bytes/,
  );
  expect(() => hashByteNgrams([1], { ...good, buckets: 0 })).toThrow(/`buckets` is 0/);
});
