import { randn, type HalfType } from "@qkv/tensor";
import { expect, test } from "vitest";
import { growingCache } from "./growing-cache.js";
import { staticCache } from "./static-cache.js";

const x = randn([1, 2, 5, 4], { seed: 1 });
const half = { dtype: "float16" } as const;

test("16 bits are half the bytes, and tokens are given in float32", () => {
  const [exact, small] = [growingCache(), growingCache(half)];
  for (const cache of [exact, small]) cache.update(0, x, x);
  expect(2 * small.bytes).toBe(exact.bytes);
  expect(small.read(0).key[0]).toMatchObject({ dtype: "float16", shape: [1, 2, 5, 4] });
  small.update(0, x, x);
  expect(small.length).toBe(10);
  const double = randn([1, 2, 5, 4], { seed: 1, dtype: "float64" });
  expect(() => small.update(0, double, double)).toThrow(
    /`key` is "float64", expected float32 \[1, 2, T, 4\]/,
  );
});

test("a file is restored by a cache of its type, and by no other", () => {
  const cache = growingCache(half);
  cache.update(0, x, x);
  const saved = cache.save();
  const again = staticCache({ maxLength: 8, ...half });
  again.restore(saved);
  expect(again.read(0).key[0]).toMatchObject({ dtype: "float16", shape: [1, 2, 5, 4] });
  expect(again.save()).toEqual(saved);
  expect(() => growingCache().restore(saved)).toThrow(/`saved cache: form` is "every token, float16"/);
  expect(() => growingCache({ dtype: "bfloat16" }).restore(saved)).toThrow(
    /expected "every token, bfloat16"/,
  );
});

test("other types, and keys that are rotated on read, are refused", () => {
  expect(() => growingCache({ dtype: "int8" as HalfType })).toThrow(
    /growingCache: `dtype` is "int8", expected "float16" or "bfloat16"/,
  );
  expect(() => staticCache({ maxLength: 4, unrotatedKeys: true, ...half })).toThrow(
    /staticCache: `dtype` is "float16 with unrotatedKeys"/,
  );
});
