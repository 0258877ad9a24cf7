import { tensorsOf } from "@qkv/tensor";
import { expect, test } from "vitest";
import { ownData } from "../../../../conformance/reference-data.mjs";
import { loadEncoderDecoder } from "../load.js";
import { encoderDecoder, type EncoderDecoderConfig } from "../models/encoder-decoder.js";
import { exportModel, type ExportOptions } from "./export-model.js";
import { memoryFolder } from "./memory-folder.js";

/** The folder of a model: in `hf/`, or else in `hf-more/`. */
const folderPath = (name: string) =>
  ownData.path(ownData.has(`hf/${name}/config.json`) ? `hf/${name}` : `hf-more/${name}`);

test.each([
  ...["bart", "bart-nli", "marian", "m2m-100", "t5", "t5-gated"],
  ...["mbart", "mt5", "umt5", "pegasus", "blenderbot"],
])("hf/%s: an exported model loads with equal params and configuration", async (name) => {
  const model = await loadEncoderDecoder(folderPath(name));
  const folder = memoryFolder();
  await exportModel(model, { to: "hf", out: folder });
  const again = await loadEncoderDecoder(folder.files);
  expect(again.config).toEqual(model.config);
  const [a, b] = [model, again].map(({ params }) => tensorsOf(params));
  expect(b!.map(({ shape }) => shape)).toEqual(a!.map(({ shape }) => shape));
  a!.forEach(({ data }, i) => expect(b![i]!.data).toEqual(data));
});

const base: EncoderDecoderConfig = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 12, numLayers: 2, numHeads: 2, contextLength: 16 },
  ...{ startIds: [2], stopIds: [2] },
};
const t5Traits: Partial<EncoderDecoderConfig> = {
  ...{ norm: "rms", normEps: 1e-6, placement: "pre", activation: "geluTanh", gated: true, bias: false },
  ...{ headDim: 4, attentionScale: 1, positions: "relative" },
};

test.each<[type: string, config: Partial<EncoderDecoderConfig>]>([
  ["bart", { embeddingNorm: true, forcedBosId: 3, forcedEosId: 2 }],
  ["mbart", { embeddingNorm: true, placement: "pre", embeddingScale: Math.sqrt(8) }],
  ["marian", { positions: "sinusoidal", activation: "silu", encoder: { vocabSize: 7 } }],
  [
    "m2m_100",
    { positions: "sinusoidal", sinusoids: { first: 2, inclusive: true }, placement: "pre", padId: 1 },
  ],
  ["pegasus", { positions: "sinusoidal", placement: "pre", activation: "relu" }],
  ["blenderbot", { placement: "pre", embeddingScale: Math.sqrt(8) }],
  ["t5", { ...t5Traits, relativeBias: { numBuckets: 8, maxDistance: 20 } }],
  [
    "umt5",
    {
      ...t5Traits,
      relativeBias: { numBuckets: 8, maxDistance: 20, perLayer: true },
      encoder: { numLayers: 3 },
    },
  ],
])("a new model is exported as %s, and gives the same logits when loaded", async (type, changes) => {
  const config = { ...base, ...changes };
  const { init, apply } = encoderDecoder(config);
  const params = init(1);
  const folder = memoryFolder();
  await exportModel({ config, params }, { to: "hf", out: folder });
  const json = JSON.parse(await folder.files.find(({ name }) => name === "config.json")!.text()) as object;
  expect(json).toMatchObject({ model_type: type, is_encoder_decoder: true });
  const again = await loadEncoderDecoder(folder.files);
  const call = { source: [3, 1, 4, 5] };
  expect(again.apply(again.params, [2, 7, 1], call).data).toEqual(apply(params, [2, 7, 1], call).data);
});

test("a configuration of no architecture, and other formats, are refused", async () => {
  const written = (config: EncoderDecoderConfig, to: "hf" | "onnx" | "gguf" = "hf") =>
    exportModel({ config, params: encoderDecoder(config).init(1) }, {
      to,
      out: memoryFolder(),
    } as ExportOptions);
  await expect(written({ ...base, positions: "rotary" })).rejects.toThrow(
    /`config` is "an encoder–decoder with traits of several architectures"/,
  );
  for (const to of ["onnx", "gguf"] as const)
    await expect(written({ ...base, embeddingNorm: true }, to)).rejects.toThrow(
      /`model` is "an encoder–decoder".*\nFix: write `to: "hf"`/s,
    );
});
