import { load } from "@qkv/transformer";
import { expect, test } from "vitest";
import { ownData } from "../../reference-data.mjs";
import { ids } from "./agree.js";

test("a bare Infinity, as Python writes it, is read as in newer files; the string 'Infinity' stays a string", async () => {
  const path = "hf/falcon-h1";
  const config = ownData.text(`${path}/config.json`);
  const bare = config.replace(/\{\s*"__float__":\s*"Infinity"\s*\}/, "Infinity");
  expect(bare).toContain(" Infinity");
  const named = bare.replace(/^\{/, '{ "_name_or_path": "to \\"Infinity\\", and NaN",');
  const open = (json: string) =>
    load([
      new File([json], "config.json"),
      new File([ownData.bytes(`${path}/model.safetensors`) as BlobPart], "model.safetensors"),
    ]);
  const [first, second] = await Promise.all([config, named].map(open));
  expect(second!.apply(second!.params, ids).data).toEqual(first!.apply(first!.params, ids).data);
});
