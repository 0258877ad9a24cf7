import { nameListOf, namesInReference } from "@qkv/test-support/name-list";
import { expect, test } from "vitest";
import { readSafetensorsHeader } from "./safetensors.js";

/** A safetensors file with one tensor of a type. */
function file(dtype: string): Uint8Array {
  const header = new TextEncoder().encode(`{"a":{"dtype":"${dtype}","shape":[],"data_offsets":[0,0]}}`);
  return Uint8Array.from([header.length, 0, 0, 0, 0, 0, 0, 0, ...header]);
}

test("the error about an unknown type of a safetensors file shows the nearest, and the named reference lists all", async () => {
  expect(await nameListOf(() => readSafetensorsHeader(file("BF32"), { source: "x", fileSize: 100 }))).toEqual(
    {
      shown: ["F32", "BF16", "U32"],
      count: 15,
      list: "the reference of `SafetensorsDType`",
    },
  );
  expect(namesInReference(new URL("safetensors.ts", import.meta.url), "SafetensorsDType").size).toBe(15);
});
