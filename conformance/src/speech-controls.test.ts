import { js, zeros } from "@qkv/tensor";
import {
  loadSpeech,
  speechToText,
  type SpeechModel,
  type SpeechToTextConfig,
  type SpeechToTextParams,
} from "@qkv/transformer";
import { expect, test } from "vitest";
import { ownData } from "../reference-data.mjs";
import type { Target } from "./case.js";
import { passes, type Check } from "./check.js";
import { compareGreedy, compareSpeech, type SpeechRefs } from "./families/hf-speech.js";
import { modelFiles } from "./families/model-files.js";
import { readTensor } from "./reference-tensor.js";

// Negative controls: a speech model without a trait replaces that of a folder, and the cases of that folder must fail.
const target: Target = { device: js(), class: "host" };

type Change = {
  config?: (config: SpeechToTextConfig) => SpeechToTextConfig;
  params?: (params: SpeechToTextParams) => SpeechToTextParams;
};

/** The outputs that fail in a folder's cases. */
async function failuresOf(folder: string, change: Change): Promise<string[]> {
  const refs = ownData.json(`hf/${folder}/refs.json`) as SpeechRefs;
  const model = await loadSpeech(modelFiles(ownData, `hf/${folder}`));
  const config = change.config?.(model.config) ?? model.config;
  const { apply, encode } = speechToText(config);
  const params = change.params?.(model.params) ?? model.params;
  const changed: SpeechModel = { ...model, config, params, apply, encode };
  const checks: Check[] = [];
  for (const { inputs, outputs } of refs.cases)
    checks.push(...(await compareSpeech(changed, inputs.map(readTensor), outputs.map(readTensor), target)));
  return checks.filter((check) => !passes(check)).map(({ output }) => output);
}

const both = ["logits", "encoder_last_hidden_state"];
const inEncoder =
  (change: Partial<SpeechToTextConfig["encoder"]>) =>
  (config: SpeechToTextConfig): SpeechToTextConfig => ({
    ...config,
    encoder: { ...config.encoder, ...change },
  });
const inConvolution =
  (i: number, change: Partial<SpeechToTextConfig["encoder"]["convolutions"][number]>) =>
  (config: SpeechToTextConfig): SpeechToTextConfig =>
    inEncoder({
      convolutions: config.encoder.convolutions.map((one, at) => (at === i ? { ...one, ...change } : one)),
    })(config);

test.each<[folder: string, trait: string, change: Change, outputs: string[]]>([
  [
    "whisper",
    "positions of sound",
    {
      params: (all) => ({
        ...all,
        encoder: { ...all.encoder, positions: { weight: zeros(all.encoder.positions!.weight.shape) } },
      }),
    },
    both,
  ],
  [
    "whisper",
    "positions of words",
    {
      params: (all) => ({
        ...all,
        decoder: { ...all.decoder, positions: { weight: zeros(all.decoder.positions!.weight.shape) } },
      }),
    },
    ["logits"],
  ],
  ["whisper", "the activation of its encoder", { config: inEncoder({ activation: "relu" }) }, both],
  [
    "whisper",
    "the activation of its decoder",
    { config: (all) => ({ ...all, activation: "relu" }) },
    ["logits"],
  ],
  ["whisper", "the activation of a convolution", { config: inConvolution(0, { activation: "relu" }) }, both],
  [
    "whisper",
    "cross-attention",
    {
      params: (all) => ({
        ...all,
        decoder: {
          ...all.decoder,
          layers: all.decoder.layers.map((layer) => ({
            ...layer,
            crossAttention: {
              ...layer.crossAttention!,
              value: { weight: zeros(layer.crossAttention!.value.weight.shape) },
            },
          })),
        },
      }),
    },
    ["logits"],
  ],
  [
    "moonshine",
    "the norm of its first convolution",
    { config: inConvolution(0, { groupNorm: false }) },
    both,
  ],
  ["moonshine", "tanh", { config: inConvolution(0, { activation: "gelu" }) }, both],
  [
    "moonshine",
    "frequencies of an odd number of rotated numbers",
    { config: inEncoder({ rope: { base: 10_000, dim: 10, layout: "interleaved" } }) },
    both,
  ],
  [
    "moonshine",
    "interleaved pairs",
    { config: (all) => ({ ...all, rope: { ...all.rope, layout: "half" } }) },
    ["logits"],
  ],
  ["moonshine", "positions of sound", { config: inEncoder({ positions: "none" }) }, both],
  ["moonshine", "the activation of gates", { config: (all) => ({ ...all, activation: "gelu" }) }, ["logits"]],
  [
    "moonshine",
    "gates after what they open",
    {
      params: (all) => ({
        ...all,
        decoder: {
          ...all.decoder,
          layers: all.decoder.layers.map((layer) => ({
            ...layer,
            feedForward: {
              ...layer.feedForward,
              gate: layer.feedForward.up,
              up: layer.feedForward.gate!,
            },
          })),
        },
      }),
    },
    ["logits"],
  ],
])("hf/%s without %s fails", async (folder, _, change, outputs) => {
  expect(await failuresOf(folder, {})).toEqual([]);
  expect((await failuresOf(folder, change)).toSorted()).toEqual(outputs.toSorted());
});

test.each(["whisper", "moonshine"])(
  "greedy texts of hf/%s see another start token and other sound",
  async (folder) => {
    const { greedy } = ownData.json(`hf/${folder}/refs.json`) as SpeechRefs;
    const model = await loadSpeech(modelFiles(ownData, `hf/${folder}`));
    const [first, second] = greedy as [(typeof greedy)[number], (typeof greedy)[number]];
    const failing = async (changed: typeof first) =>
      (await compareGreedy(model, changed, target)).filter((check) => !passes(check)).length;
    expect(await failing(first)).toBe(0);
    expect(await failing({ ...first, decoder_start_token_id: 9 })).toBe(3);
    expect(await failing({ ...second, tokens: first.tokens })).toBe(3);
  },
);
