import { expect, test } from "vitest";
import { randn } from "./randn.js";
import { float64Bits, normalBits } from "@qkv/test-support/normal-bits";

test("a browser gives the same 1,000 normals, bit for bit", () => {
  expect(float64Bits(randn([1000], { seed: 20251, dtype: "float64" }).data)).toEqual(normalBits);
});
