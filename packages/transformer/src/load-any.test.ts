import { tensorsOf } from "@qkv/tensor";
import { expect, test } from "vitest";
import { ownData } from "../../../conformance/reference-data.mjs";
import { loadAny } from "./load-any.js";
import { loadSpeech } from "./load-speech.js";
import { loadDualEncoder, loadVision } from "./load-vision.js";
import type { AnyModel } from "./models/model.js";

const files = (folder: string): File[] =>
  ["config.json", "model.safetensors"].map(
    (name) => new File([ownData.bytes(`hf/${folder}/${name}`) as BlobPart], name),
  );
const numbers = (model: AnyModel) => tensorsOf(model.params).map(({ data }) => data);

test.each([
  ["vit", loadVision],
  ["dinov2", loadVision],
  ["clip", loadDualEncoder],
  ["siglip", loadDualEncoder],
  ["whisper", loadSpeech],
  ["moonshine", loadSpeech],
])("%s: loadAny equals the loader of this kind", async (folder, load) => {
  const [any, own] = [await loadAny(files(folder)), await load(files(folder))];
  expect(Object.keys(any).sort()).toEqual(Object.keys(own).sort());
  expect(any.config).toEqual(own.config);
  expect(numbers(any)).toEqual(numbers(own));
});

test("image and speech models are quantized like by their own loaders", async () => {
  for (const [folder, load] of [
    ["vit", loadVision],
    ["clip", loadDualEncoder],
    ["whisper", loadSpeech],
  ] as const) {
    const any = await loadAny(files(folder), { quantize: "int8" });
    expect(numbers(any)).toEqual(numbers(await load(files(folder), { quantize: "int8" })));
    expect(numbers(any)).not.toEqual(numbers(await loadAny(files(folder))));
  }
});

test("another kind of file is refused by its name", async () => {
  const config = new File(['{"model_type":"vitt"}'], "config.json");
  await expect(loadAny([config, files("vit")[1]!])).rejects.toThrow(
    /model_type` is "vitt", expected a known/,
  );
  await expect(loadAny([new File(["{}"], "config.json"), files("vit")[1]!])).rejects.toThrow(/model_type/);
});
