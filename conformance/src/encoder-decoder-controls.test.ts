import { flip, js, ones, zeros, type Tensor } from "@qkv/tensor";
import {
  encoderDecoder,
  loadEncoderDecoder,
  type EncoderDecoderConfig,
  type EncoderDecoderModel,
  type EncoderDecoderParams,
} from "@qkv/transformer";
import { expect, test } from "vitest";
import { ownData } from "../reference-data.mjs";
import type { Target } from "./case.js";
import { passes, type Check } from "./check.js";
import { compareEncoderDecoder } from "./families/hf-encoder-decoders.js";
import { modelFiles, modelFolder } from "./families/model-files.js";
import { readTensor } from "./reference-tensor.js";

// Negative controls: an encoder–decoder without a trait replaces that of a folder, and its cases must fail.
const target: Target = { device: js(), class: "host" };

type Entry = { name: string; inputs: unknown[]; outputs: unknown[] };

/** The folder of a model: in `hf/`, otherwise in `hf-more/`. */
const folderOf = (name: string): string => modelFolder(ownData, name);
type Change = {
  config?: (config: EncoderDecoderConfig) => Partial<EncoderDecoderConfig>;
  params?: (params: EncoderDecoderParams) => EncoderDecoderParams;
};

/** The outputs that fail in a folder's cases. */
async function failuresOf(folder: string, change: Change): Promise<string[]> {
  const { cases } = ownData.json(`${folderOf(folder)}/refs.json`) as { cases: Entry[] };
  const model = await loadEncoderDecoder(modelFiles(ownData, folderOf(folder)));
  const config = { ...model.config, ...change.config?.(model.config) };
  const { apply, encode } = encoderDecoder(config);
  const params = change.params?.(model.params) ?? model.params;
  const changed: EncoderDecoderModel = { ...model, config, params, apply, encode };
  const checks: Check[] = [];
  for (const { inputs, outputs } of cases)
    checks.push(
      ...(await compareEncoderDecoder(changed, inputs.map(readTensor), outputs.map(readTensor), target)),
    );
  return [...new Set(checks.filter((check) => !passes(check)).map(({ output }) => output))];
}

type Layer = EncoderDecoderParams["decoder"]["layers"][number];
const inDecoder =
  (change: (layer: Layer) => Layer) =>
  ({ decoder, ...all }: EncoderDecoderParams): EncoderDecoderParams => ({
    ...all,
    decoder: { ...decoder, layers: decoder.layers.map(change) },
  });
const withoutBias = ({ bias, ...all }: { weight: Tensor; bias?: Tensor }) => ({
  ...all,
  ...(bias && { bias: zeros(bias.shape) }),
});
const both = ["logits", "encoder_last_hidden_state"];

test.each<[folder: string, trait: string, change: Change, outputs: string[]]>([
  ["bart", "the scale of embeddings", { config: () => ({ embeddingScale: 1 }) }, both],
  ["bart", "norms after embeddings", { config: () => ({ embeddingNorm: false }) }, both],
  ["bart", "exact GELU", { config: () => ({ activation: "geluTanh" }) }, both],
  ["bart", "norms after each part", { config: () => ({ placement: "pre" }), params: withNorms }, both],
  [
    "bart",
    "its own keys of cross-attention",
    {
      params: inDecoder((layer) => ({
        ...layer,
        crossAttention: { ...layer.crossAttention!, key: layer.attention.key },
      })),
    },
    ["logits"],
  ],
  [
    "bart",
    "biases of cross-attention",
    {
      params: inDecoder((layer) => ({
        ...layer,
        crossAttention: { ...layer.crossAttention!, value: withoutBias(layer.crossAttention!.value) },
      })),
    },
    ["logits"],
  ],
  [
    "bart",
    "the bias of logits",
    { params: (all) => ({ ...all, output: { bias: ones(all.output!.bias!.shape) } }) },
    ["logits"],
  ],
  ["marian", "sines and cosines", { config: () => ({ sinusoids: { inclusive: true } }) }, both],
  ["marian", "its activation", { config: () => ({ activation: "gelu" }) }, both],
  ["m2m-100", "the first position", { config: () => ({ sinusoids: { first: 0, inclusive: true } }) }, both],
  ["m2m-100", "the slowest wave", { config: () => ({ sinusoids: { first: 2 } }) }, both],
  [
    "m2m-100",
    "the norm after the last layer",
    { params: (all) => ({ ...all, decoder: { ...all.decoder, norm: { weight: ones([32]) } } }) },
    ["logits"],
  ],
  ["t5", "scores without a scale", { config: () => ({ attentionScale: 8 ** -0.5 }) }, both],
  ["t5", "the scale of a tied head", { config: () => ({ logitScale: 1 }) }, ["logits"]],
  [
    "t5",
    "the farthest distance",
    { config: () => ({ relativeBias: { numBuckets: 8, maxDistance: 128 } }) },
    both,
  ],
  [
    "t5",
    "a bias of the decoder of its own",
    { params: (all) => ({ ...all, decoder: { ...all.decoder, relativeBias: all.encoder.relativeBias! } }) },
    ["logits"],
  ],
  ["t5", "RMS norms", { config: () => ({ norm: "layer" }) }, both],
  ["t5", "its activation", { config: () => ({ activation: "gelu" }) }, both],
  ["t5-gated", "the tanh form of GELU", { config: () => ({ activation: "gelu" }) }, both],
  [
    "t5-gated",
    "gates",
    {
      params: inDecoder((layer) => ({
        ...layer,
        feedForward: { up: layer.feedForward.up, down: layer.feedForward.down },
      })),
    },
    ["logits"],
  ],
  ["t5-gated", "a head of its own", { params: ({ output: _, ...all }) => all }, ["logits"]],
  ["t5-gated", "logits without a scale", { config: () => ({ logitScale: 48 ** -0.5 }) }, ["logits"]],
  ["mt5", "a head of its own", { params: ({ output: _, ...all }) => all }, ["logits"]],
  ["mt5", "the tanh form of GELU", { config: () => ({ activation: "silu" }) }, both],
  [
    "umt5",
    "tables of distances of its later layers",
    {
      params: ({ encoder, decoder, ...all }) => ({
        ...all,
        encoder: { ...encoder, relativeBias: encoder.relativeBias!.slice(0, 1) },
        decoder: { ...decoder, relativeBias: decoder.relativeBias!.slice(0, 1) },
      }),
    },
    both,
  ],
  ["mbart", "the scale of embeddings", { config: () => ({ embeddingScale: 1 }) }, both],
  ["mbart", "norms before each part", { config: () => ({ placement: "post" }) }, both],
  ["mbart", "norms after embeddings", { config: () => ({ embeddingNorm: false }) }, both],
  [
    "mbart",
    "the norm after the last layer",
    { params: (all) => ({ ...all, encoder: { ...all.encoder, norm: { weight: ones([12]) } } }) },
    both,
  ],
  ["plbart", "norms after embeddings", { config: () => ({ embeddingNorm: false }) }, both],
  ["plbart", "the scale of embeddings", { config: () => ({ embeddingScale: 1 }) }, both],
  ["pegasus", "the first position", { config: () => ({ sinusoids: { first: 1 } }) }, both],
  ["pegasus", "norms before each part", { config: () => ({ placement: "post" }) }, both],
  ["pegasus", "its activation", { config: () => ({ activation: "gelu" }) }, both],
  ["blenderbot", "the scale of embeddings", { config: () => ({ embeddingScale: 1 }) }, both],
  ["blenderbot", "norms before each part", { config: () => ({ placement: "post" }) }, both],
  [
    "blenderbot",
    "the first row of positions",
    {
      params: ({ encoder, decoder, ...all }) => ({
        ...all,
        encoder: { ...encoder, positions: { weight: flip(encoder.positions!.weight, 0) } },
        decoder: { ...decoder, positions: { weight: flip(decoder.positions!.weight, 0) } },
      }),
    },
    both,
  ],
])("hf/%s without %s fails", async (folder, _, change, outputs) => {
  expect(await failuresOf(folder, {})).toEqual([]);
  expect((await failuresOf(folder, change)).sort()).toEqual([...outputs].sort());
});

/** Pre-norm models have another norm after the last layer. */
function withNorms({ encoder, decoder, ...all }: EncoderDecoderParams): EncoderDecoderParams {
  const norm = { weight: ones([48]), bias: zeros([48]) };
  return { ...all, encoder: { ...encoder, norm }, decoder: { ...decoder, norm } };
}

const heads = ["logits", "scores", "zero_shot_multi_label", "zero_shot_single_label"];

test.each<[trait: string, change: Change, outputs: string[]]>([
  ["its activation", { config: ({ head }) => ({ head: { ...head!, activation: "relu" } }) }, heads],
  ["the end token", { config: () => ({ stopIds: [50] }) }, heads],
  [
    "its labels",
    { config: ({ head }) => ({ head: { ...head!, labels: ["entailment", "b", "c"] } }) },
    heads.slice(2),
  ],
  ["its start token", { config: () => ({ startIds: [0] }) }, heads],
])("the head of hf/bart-nli without %s fails", async (_, change, outputs) => {
  expect(await failuresOf("bart-nli", {})).toEqual([]);
  const failed = await failuresOf("bart-nli", change).catch(() => heads);
  expect(failed.sort()).toEqual(outputs);
});
