import { expect, test } from "vitest";
import { randn } from "./randn.js";
import { normalBits } from "@qkv/test-support/normal-bits";

test("a browser gives the same 1,000 normals, bit for bit", () => {
  const values = new DataView(new ArrayBuffer(8));
  const bits = [...randn([1000], { seed: 20251, dtype: "float64" }).data].map((value) => {
    values.setFloat64(0, value);
    return values.getBigUint64(0).toString(16).padStart(16, "0");
  });
  expect(bits).toEqual(normalBits);
});
