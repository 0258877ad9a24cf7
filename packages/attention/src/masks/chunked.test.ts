import { randn } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { and } from "./and.js";
import { causal } from "./causal.js";
import { chunked } from "./chunked.js";
import { documents } from "./documents.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

const size = fc.integer({ min: 1, max: 8 });

test("property: one chunk equals causal(), chunks of one token give the values, and chunks equal documents under causal()", () => {
  fc.assert(
    fc.property(size, size, fc.nat(3), (T, chunkSize, more) => {
      const [query, key, value] = [1, 2, 3].map((seed) => randn([1, 2, T, 3], { seed }));
      const of = (mask = causal()) => attention(query!, key!, value!, { mask }).data;
      for (const whole of [T + more, Infinity]) expect(of(chunked(whole))).toEqual(of());
      expect(of(chunked(1))).toEqual(value!.data);
      const ids = Array.from({ length: T }, (_, i) => Math.floor(i / chunkSize));
      expect(of(chunked(chunkSize))).toEqual(of(and(causal(), documents(ids))));
    }),
  );
});

test("golden: chunks of three, counted from the start of the sequence", () => {
  expect(rowsSeen(chunked(3), 3, 5)).toEqual(["11100", "00010", "00011"]);
  expect(chunked(3).name).toBe("chunked(3)");
});

test("an invalid chunk size is refused, with the fix", () => {
  for (const wrong of [0, 1.5, NaN]) {
    expect(() => chunked(wrong)).toThrow(
      /chunked: `chunkSize` is .*, expected an integer number of tokens, 1 or more.\nFix: choose how many/,
    );
  }
});
