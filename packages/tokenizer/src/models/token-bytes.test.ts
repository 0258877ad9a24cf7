import fc from "fast-check";
import { expect, test } from "vitest";
import { PairTable } from "./pair-table.js";
import { TokenBytes } from "./token-bytes.js";

const token = fc.uint8Array({ minLength: 0, maxLength: 3, max: 3 });
const key = (bytes: Uint8Array) => bytes.join(",");

test("property: find returns the lowest id of a token with these bytes, or -1", () => {
  fc.assert(
    fc.property(fc.array(token, { maxLength: 60 }), token, token, (list, left, right) => {
      const tokens = TokenBytes.fromTokens(list);
      const id = (bytes: Uint8Array) =>
        bytes.length === 0 ? -1 : list.findIndex((each) => key(each) === key(bytes));
      expect(tokens.find(left, 0, left.length)).toBe(id(left));
      list.forEach((bytes, at) => expect(tokens.bytes(at)).toEqual(bytes));
      const [a, b] = [id(left), id(right)];
      if (a >= 0 && b >= 0) expect(tokens.findConcatenation(a, b)).toBe(id(Uint8Array.of(...left, ...right)));
    }),
  );
});

test("an id without a token does not merge", () => {
  const tokens = TokenBytes.fromTokens([undefined, Uint8Array.of(1)]);
  expect([tokens.findConcatenation(0, 1), tokens.findConcatenation(1, 0), tokens.size]).toEqual([-1, -1, 2]);
});

test("property: a pair table equals a Map that keeps the first of duplicate pairs", () => {
  const entry = fc.tuple(fc.nat(20), fc.nat(20));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 100 }), entry, (pairs, [left, right]) => {
      const table = new PairTable(pairs.length);
      const map = new Map<string, number>();
      pairs.forEach(([a, b], at) => {
        expect(table.add(a, b, at)).toBe(!map.has(`${a} ${b}`));
        if (!map.has(`${a} ${b}`)) map.set(`${a} ${b}`, at);
      });
      expect(table.find(left, right)).toBe(map.get(`${left} ${right}`) ?? -1);
    }),
  );
});
