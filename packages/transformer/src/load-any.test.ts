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
const weightData = (model: AnyModel) => tensorsOf(model.params).map(({ data }) => data);

test.each([
  ["vit", loadVision],
  ["dinov2", loadVision],
  ["clip", loadDualEncoder],
  ["siglip", loadDualEncoder],
  ["whisper", loadSpeech],
  ["moonshine", loadSpeech],
])("loadAny returns the same model of %s as the loader of its kind", async (folder, load) => {
  const [any, model] = [await loadAny(files(folder)), await load(files(folder))];
  expect(Object.keys(any).sort()).toEqual(Object.keys(model).sort());
  expect(any.config).toEqual(model.config);
  expect(weightData(any)).toEqual(weightData(model));
});

test("loadAny quantizes image and speech models as the loaders of their kind do", async () => {
  for (const [folder, load] of [
    ["vit", loadVision],
    ["clip", loadDualEncoder],
    ["whisper", loadSpeech],
  ] as const) {
    const any = await loadAny(files(folder), { quantize: "int8" });
    expect(weightData(any)).toEqual(weightData(await load(files(folder), { quantize: "int8" })));
    expect(weightData(any)).not.toEqual(weightData(await loadAny(files(folder))));
  }
});

test("an unknown model_type and a missing one are refused", async () => {
  const config = new File(['{"model_type":"vitt"}'], "config.json");
  await expect(loadAny([config, files("vit")[1]!])).rejects.toThrow(
    /model_type` is "vitt", expected a known/,
  );
  await expect(loadAny([new File(["{}"], "config.json"), files("vit")[1]!])).rejects.toThrow(/model_type/);
});
