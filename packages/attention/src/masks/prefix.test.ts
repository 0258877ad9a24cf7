import { randn } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "./causal.js";
import { or } from "./or.js";
import { padding } from "./padding.js";
import { prefix } from "./prefix.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

test("property: prefix(0) equals causal(), and a prefix of the whole sequence masks nothing", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(3), (T, more) => {
      const x = randn([1, 2, T, 3], { seed: T });
      expect(attention(x, x, x, { mask: prefix(0) }).data).toEqual(
        attention(x, x, x, { mask: causal() }).data,
      );
      expect(attention(x, x, x, { mask: prefix(T + more) }).data).toEqual(attention(x, x, x).data);
    }),
  );
});

test("golden: a prefix of three, also when decoding the last token, and one prefix per sequence", () => {
  expect(rowsSeen(prefix(3), 5)).toEqual(["11100", "11100", "11100", "11110", "11111"]);
  expect(rowsSeen(prefix(3), 2, 5)).toEqual(["11110", "11111"]);
  const each = or(causal(), padding([3, 1]));
  expect(rowsSeen(each, 5, 5, 0)).toEqual(rowsSeen(prefix(3), 5));
  expect(rowsSeen(each, 5, 5, 1)).toEqual(rowsSeen(causal(), 5));
});

test("invalid lengths are refused, with the fix", () => {
  for (const wrong of [-1, 2.5, NaN]) {
    expect(() => prefix(wrong)).toThrow(
      /prefix: `length` is .*, expected an integer number of tokens, 0 or more.\nFix: count the tokens that may see/,
    );
  }
});
