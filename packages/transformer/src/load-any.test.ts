/// <reference types="node" />
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { tensorsOf } from "@qkv/tensor";
import { expect, expectTypeOf, test } from "vitest";
import { ownData } from "../../../conformance/reference-data.mjs";
import { loadAny } from "./load-any.js";
import { load, loadEncoder, loadEncoderDecoder } from "./load.js";
import { loadSpeech } from "./load-speech.js";
import { loadDualEncoder, loadVision } from "./load-vision.js";
import type { AnyModel, ModelKind } from "./models/model.js";

const files = (folder: string): File[] =>
  ["config.json", "model.safetensors"].map(
    (name) => new File([ownData.bytes(`hf/${folder}/${name}`) as BlobPart], name),
  );
const weightData = (model: AnyModel) => tensorsOf(model.params).map(({ data }) => data);

test.each([
  ["gpt2", "decoder", load],
  ["bert-mlm", "encoder", loadEncoder],
  ["t5", "encoder-decoder", loadEncoderDecoder],
  ["vit", "vision", loadVision],
  ["dinov2", "vision", loadVision],
  ["clip", "dual-encoder", loadDualEncoder],
  ["siglip", "dual-encoder", loadDualEncoder],
  ["whisper", "speech", loadSpeech],
  ["moonshine", "speech", loadSpeech],
] as const)(
  "loadAny returns the same model of %s, %s, as the loader of its kind",
  async (folder, kind, load) => {
    const [any, model] = [await loadAny(files(folder)), await load(files(folder))];
    expect(any.kind).toBe(kind);
    expect(Object.keys(any).sort()).toEqual(Object.keys(model).sort());
    expect(any.config).toEqual(model.config);
    expect(weightData(any)).toEqual(weightData(model));
  },
);

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

test("the kind of a model narrows its type", async () => {
  const model = await loadAny(files("bert-mlm"));
  // Each branch uses what only its kind has, and compiles without a cast.
  const shapeOf = () => {
    switch (model.kind) {
      case "decoder":
        return model.apply(model.params, [1, 2], { last: 1 }).shape;
      case "encoder":
        return model.maskedTokenLogits(model.params, model.apply(model.params, [1, 2])).shape;
      case "encoder-decoder":
        return model.encode(model.params, [1, 2]).rows.shape;
      case "vision":
        return model.params.patches.weight.shape;
      case "dual-encoder":
        return model.embedTexts(model.params, [1, 2]).shape;
      case "speech":
        return [model.leastFrames];
    }
  };
  expect(shapeOf()).toHaveLength(3);
  expectTypeOf(model.kind).toEqualTypeOf<
    "decoder" | "encoder" | "encoder-decoder" | "vision" | "dual-encoder" | "speech"
  >();
});

test.each(["../README.md", "load-any.ts"])("%s names each kind of loadAny", (path) => {
  const kinds: Record<ModelKind, true> = {
    decoder: true,
    encoder: true,
    "encoder-decoder": true,
    vision: true,
    "dual-encoder": true,
    speech: true,
  };
  const text = readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");
  // The row of the table, or the docstring.
  const [description] = /\| `loadAny\(source.*|@returns[^@]*/.exec(text)!;
  for (const kind of Object.keys(kinds)) expect(description).toContain(`\`"${kind}"\``);
});

test("an unknown model_type and a missing one are refused", async () => {
  const config = new File(['{"model_type":"vitt"}'], "config.json");
  await expect(loadAny([config, files("vit")[1]!])).rejects.toThrow(
    /model_type` is "vitt", expected a known/,
  );
  await expect(loadAny([new File(["{}"], "config.json"), files("vit")[1]!])).rejects.toThrow(/model_type/);
});
