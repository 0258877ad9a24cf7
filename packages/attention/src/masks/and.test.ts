import { randn } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attentionWeights } from "../attention.js";
import { defineMask } from "../mask.js";
import { and } from "./and.js";
import { causal } from "./causal.js";
import { or } from "./or.js";
import { padding } from "./padding.js";
import { slidingWindow } from "./sliding-window.js";
import { exhaustiveTileClass } from "@qkv/test-support/exhaustive-tile-class";

const leaf = fc.oneof(
  fc.constant(causal()),
  fc.integer({ min: 1, max: 5 }).map(slidingWindow),
  fc.array(fc.nat(6), { minLength: 2, maxLength: 2 }).map(padding),
  fc.integer({ min: -3, max: 3 }).map((offset) => causal({ offset })),
  fc.constant(defineMask({ name: "evens", sees: (query, key) => (query - key) % 2 === 0 })),
);
const masks = fc.array(leaf, { minLength: 1, maxLength: 3 });
const extent = { queryLength: 4, keyLength: 6 };

test("property: a query sees a key if all masks allow it", () => {
  const place = fc.integer({ min: -2, max: 8 });
  fc.assert(
    fc.property(masks, place, place, fc.nat(1), (masks, query, key, batch) => {
      const each = masks.map((mask) => mask.bind(extent).sees(query, key, batch, 0));
      expect(
        and(...masks)
          .bind(extent)
          .sees(query, key, batch, 0),
      ).toBe(!each.includes(false));
    }),
  );
});

test("property: the class of a tile never contradicts its pairs", () => {
  const range = fc
    .tuple(fc.integer({ min: -4, max: 8 }), fc.nat(4))
    .map(([first, more]) => ({ first, last: first + more }));
  fc.assert(
    fc.property(masks, range, range, fc.nat(1), (masks, query, key, batch) => {
      const bound = and(...masks).bind(extent);
      const tile = bound.tile(query, key, batch, 0);
      if (tile !== "some") expect(tile).toBe(exhaustiveTileClass(bound, query, key, batch));
    }),
  );
});

test('a tile is "none" if it is "none" in one mask, and "all" if it is "all" in every mask', () => {
  const { tile } = and(causal(), slidingWindow(4)).bind({ queryLength: 9, keyLength: 9 });
  const at = (first: number, last = first) => ({ first, last });
  expect(tile(at(8), at(0, 4), 0, 0)).toBe("none");
  expect(tile(at(2), at(3, 4), 0, 0)).toBe("none");
  expect(tile(at(8), at(5, 8), 0, 0)).toBe("all");
  expect(tile(at(8), at(4, 8), 0, 0)).toBe("some");
});

test("golden: causal() and padding()", () => {
  const x = randn([2, 1, 3, 2], { seed: 1 });
  const { data } = attentionWeights(x, x, { mask: and(causal(), padding([3, 1])) });
  expect([...data].map((weight) => (weight > 0 ? 1 : 0)).join("")).toBe("100110111" + "100100100");
});

test("a combined mask has perBatch, perHead and the name of its parts", () => {
  const perHead = defineMask({ name: "heads", perHead: true, sees: (_q, _k, _b, head) => head === 0 });
  const one = and(causal(), slidingWindow(2));
  const two = and(causal(), padding([1]));
  const three = and(two, perHead);
  expect([one.perBatch, one.perHead]).toEqual([false, false]);
  expect([two.perBatch, two.perHead]).toEqual([true, false]);
  expect([three.perBatch, three.perHead]).toEqual([true, true]);
  expect(three.name).toBe("and(and(causal(), padding([1])), heads)");
});

test("a value that is not a mask is refused with its index", () => {
  expect(() => and(causal(), causal as never)).toThrow(
    /and: `masks\[1\]` is the function causal, expected a mask.*\nFix: call the mask's function/,
  );
});

test("`and()` and `or()` without masks are refused", () => {
  for (const combine of [and, or]) {
    const fn = combine === and ? "and" : "or";
    expect(() => combine()).toThrow(new RegExp(`^${fn}: \`masks\` is \\[\\], expected one mask or more`));
    expect(() => combine([causal()] as never)).toThrow(new RegExp(`^${fn}: \`masks\\[0\\]\` is`));
  }
});
