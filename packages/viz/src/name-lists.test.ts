import { writeSafetensorsHeader } from "@qkv/core";
import { nameListOf, namesInReference } from "@qkv/test-support/name-list";
import { expect, test } from "vitest";
import { readViewFile } from "./view-file.js";

test("the error about a type that is not read shows the nearest, and the reference of readViewFile lists all", async () => {
  const args = '[{"tensor":"x"}]';
  const header = writeSafetensorsHeader([{ name: "x", dtype: "U32", shape: [1] }], { args });
  expect(await nameListOf(() => readViewFile(new Uint8Array([...header, 0, 0, 0, 0])))).toEqual({
    shown: ["F32", "I32"],
    count: 9,
    list: "the reference of `readViewFile`",
  });
  const listed = namesInReference(new URL("view-file.ts", import.meta.url), "readViewFile");
  expect([...listed]).toEqual(expect.arrayContaining("F32 F64 F16 BF16 I64 I32 I8 U8 BOOL".split(" ")));
});
