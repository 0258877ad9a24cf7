import { randn, tensorsOf } from "@qkv/tensor";
import { expect, test } from "vitest";
import { moonshine } from "../architectures/speech/moonshine.js";
import { whisperFeatures } from "../audio/whisper-features.js";
import { ownData } from "../../../../conformance/reference-data.mjs";
import { loadSpeech } from "../load-speech.js";
import { speechToText, type SpeechToTextConfig } from "../models/speech-to-text.js";
import type { SpeechTokens } from "../models/speech-tokens.js";
import { exportModel, type ExportOptions } from "./export-model.js";
import { memoryFolder } from "./memory-folder.js";

/** The files of a checkpoint in the reference data. */
const files = (folder: string): File[] =>
  ["config.json", "model.safetensors"].map(
    (name) => new File([ownData.bytes(`hf/${folder}/${name}`) as BlobPart], name),
  );
const json = async (folder: { files: readonly File[] }, wanted: string) =>
  JSON.parse(await folder.files.find(({ name }) => name === wanted)!.text()) as Record<string, unknown>;

test.each(["whisper", "moonshine"])(
  "hf/%s: an exported model loads with equal params and configuration",
  async (name) => {
    const model = await loadSpeech(files(name));
    const folder = memoryFolder();
    await exportModel(model, { to: "hf", out: folder });
    const reloaded = await loadSpeech(folder.files);
    expect(reloaded.config).toEqual(model.config);
    expect(reloaded.speech).toEqual(model.speech);
    expect(reloaded.features.options).toEqual(model.features.options);
    const [a, b] = [model, reloaded].map(({ params }) => tensorsOf(params));
    expect(b!.map(({ shape }) => shape)).toEqual(a!.map(({ shape }) => shape));
    a!.forEach(({ data }, i) => expect(b![i]!.data).toEqual(data));
    const written = await json(folder, "config.json");
    const original = JSON.parse(
      new TextDecoder().decode(ownData.bytes(`hf/${name}/config.json`)),
    ) as typeof written;
    for (const field of [
      "architectures",
      "model_type",
      "hidden_size",
      "d_model",
      "partial_rotary_factor",
      "vocab_size",
    ])
      expect(written[field]).toEqual(original[field]);
  },
);

const layers = { embedDim: 8, hiddenDim: 12, numLayers: 1, numHeads: 2, placement: "pre" } as const;
const convolution = { channels: 8, kernelSize: 3, padding: 1, activation: "gelu" } as const;
const config: SpeechToTextConfig = {
  ...{ ...layers, vocabSize: 30, startIds: [11], stopIds: [10], contextLength: 16 },
  encoder: {
    ...{ ...layers, numLayers: 2, hiddenDim: 20, contextLength: 20, inputChannels: 6 },
    convolutions: [convolution, { ...convolution, stride: 2 }],
  },
};
const { init, encode, apply } = speechToText(config);
const params = init(1);
const speech: SpeechTokens = {
  languages: { en: 12, de: 13 },
  tasks: { transcribe: 14, translate: 15 },
  ...{ noTimestampsId: 16, maxInitialTimestamp: 4 },
  ...{ suppressed: [3], suppressedAtBegin: [4, 10], forced: [12, 14] },
  alignmentHeads: [[0, 1]],
};

test("a new model is exported as Whisper with its feature extractor and decoding rules, and gives the same logits when loaded", async () => {
  const features = whisperFeatures({ numMels: 6, chunkLength: 0.4, hopLength: 80 });
  const folder = memoryFolder();
  await exportModel({ config, params, features, speech }, { to: "hf", out: folder });
  expect(folder.files.map(({ name }) => name).sort()).toEqual([
    ...["config.json", "generation_config.json", "model.safetensors", "preprocessor_config.json"],
  ]);
  expect(await json(folder, "preprocessor_config.json")).toMatchObject({
    ...{ feature_extractor_type: "WhisperFeatureExtractor", feature_size: 6, hop_length: 80 },
  });
  expect(await json(folder, "generation_config.json")).toMatchObject({
    lang_to_id: { "<|en|>": 12, "<|de|>": 13 },
    forced_decoder_ids: [
      [1, 12],
      [2, 14],
    ],
  });
  const again = await loadSpeech(folder.files);
  expect(again.speech).toEqual(speech);
  expect(again.features.options).toEqual(features.options);
  const sound = randn([1, 6, 40], { seed: 2 });
  const [source, same] = [encode(params, sound), again.encode(again.params, sound)];
  expect(same.rows.data).toEqual(source.rows.data);
  expect(again.apply(again.params, [11, 5], { source: same }).data).toEqual(
    apply(params, [11, 5], { source }).data,
  );
});

test.each([
  [10000 ** (10 / 9), 10, { partial_rotary_factor: 0.9, rope_theta: 10000 }],
  [500, 10, { partial_rotary_factor: 1, rope_theta: 500 }],
  [500, 6, { partial_rotary_factor: 0.6, rope_theta: 500 }],
])(
  "a Moonshine with RoPE base %d and %d rotary dimensions has these fields in config.json",
  async (base, dim, fields) => {
    const model = await loadSpeech(files("moonshine"));
    const rope = { base, dim, layout: "interleaved" } as const;
    const config = { ...model.config, rope, encoder: { ...model.config.encoder, rope } };
    const folder = memoryFolder();
    await exportModel({ config, params: model.params }, { to: "hf", out: folder });
    expect(await json(folder, "config.json")).toMatchObject(fields);
    expect((await loadSpeech(folder.files)).config).toEqual(config);
  },
);

test.each([
  [36, 32, 0.9],
  [52, 32, 0.62],
  [64, 64, 1],
])(
  "partial_rotary_factor of headDim %d with %d rotary dimensions has the fewest decimals",
  (headDim, dim, share) => {
    const layers = { embedDim: headDim, hiddenDim: 8, numLayers: 1, numHeads: 1, contextLength: 8 };
    const rope = { base: 10000, dim };
    const encoder = { ...layers, inputChannels: 1, convolutions: [] };
    const config = { ...layers, rope, vocabSize: 9, startIds: [1], stopIds: [2], encoder };
    expect(moonshine.write(config)).toMatchObject({ partial_rotary_factor: share, rope_theta: 10000 });
  },
);

test("a configuration of no architecture, an untied output and other formats are refused", async () => {
  const written = (model: { config: SpeechToTextConfig; params: typeof params }, to = "hf") =>
    exportModel(model, { to, out: memoryFolder() } as ExportOptions);
  await expect(written({ config: { ...config, placement: "post" }, params })).rejects.toThrow(
    /`config` is "a speech model with traits of no architecture", expected one as moonshine or whisper has them/,
  );
  await expect(written({ config, params: { ...params, output: params.embedding } })).rejects.toThrow(
    /of no architecture/,
  );
  for (const to of ["onnx", "gguf"])
    await expect(written({ config, params }, to)).rejects.toThrow(
      /`to` is .*expected "hf" for a model of speech/,
    );
});
