import { argmax, js } from "@qkv/tensor";
import {
  bytePatches,
  cacheFor,
  decoder,
  generate,
  load,
  type BytePatchesConfig,
  type DecoderConfig,
  type Model,
} from "@qkv/transformer";
import { beforeAll, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { ownData } from "../../reference-data.mjs";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { logitTolerance } from "./agree.js";

type Refs = { cases: { name: string; inputs: unknown[]; outputs: unknown[] }[] };

const folder = "hf/blt";
const { cases } = ownData.json(`${folder}/refs.json`) as Refs;
const longest = cases.find(({ name }) => name === "bytes40")!;
const named = (all: readonly unknown[], name: string): ReferenceTensor =>
  all.map(readTensor).find((one) => one.name === name)!;
const text = Array.from(named(longest.inputs, "input_ids").values, Number);
const logits = named(longest.outputs, "logits").values as Float32Array;

let model: Model;
beforeAll(async () => {
  model = await load(ownData.path(folder), { device: js() });
});

/** The largest difference between the reference and a model with a changed configuration. */
function error(change: (config: DecoderConfig, own: BytePatchesConfig) => DecoderConfig): number {
  const { config, params } = model;
  const changed = change(config, config.bytePatches!.config);
  const found = decoder(changed).apply(params, text).data;
  return Math.max(...Array.from(found, (x, i) => Math.abs(x - logits[i]!)));
}

const patching =
  (change: (own: BytePatchesConfig) => Partial<BytePatchesConfig>) =>
  (config: DecoderConfig, own: BytePatchesConfig): DecoderConfig => ({
    ...config,
    bytePatches: bytePatches({ ...own, ...change(own) }),
  });

test("the unchanged model agrees with the reference", () => {
  expect(model.apply(model.params, text).data).toBeAllclose(logits, logitTolerance);
});

test.each<[trait: string, change: Parameters<typeof error>[0]]>([
  ["the threshold", patching(({ threshold }) => ({ threshold: threshold + 0.1 }))],
  [
    "the patcher's rotary layout",
    patching(({ patcher }) => ({ patcher: { ...patcher, ropeLayout: "half" } })),
  ],
  ["the orders of n-grams", patching(({ hashes }) => ({ hashes: { ...hashes, orders: [4, 3] } }))],
  ["the number of buckets", patching(({ hashes }) => ({ hashes: { ...hashes, buckets: 60 } }))],
  ["the encoder's rotary base", patching(({ encoder }) => ({ encoder: { ...encoder, ropeBase: 10000 } }))],
  [
    "the encoder's rotary layout",
    patching(({ encoder }) => ({ encoder: { ...encoder, ropeLayout: "half" } })),
  ],
  [
    "the encoder's heads",
    patching(({ encoder }) => ({ encoder: { ...encoder, numHeads: 2, numKvHeads: 2 } })),
  ],
  ["the global rotary base", patching(({ global }) => ({ global: { ...global, ropeBase: 10 } }))],
  ["the global rotary layout", patching(({ global }) => ({ global: { ...global, ropeLayout: "half" } }))],
  ["the global epsilon", patching(({ global }) => ({ global: { ...global, normEps: 1 } }))],
  ["the decoder's heads", (config) => ({ ...config, numHeads: 2, numKvHeads: 2 })],
])("%s changes the logits", (_, change) => {
  expect(error(change)).toBeGreaterThan(1e-3);
});

test("the patcher's rotary base changes its entropies", () => {
  const { patcher } = model.config.bytePatches!.config;
  const params = model.params.bytePatches!.patcher;
  const [own, other] = [patcher, { ...patcher, ropeBase: 500000 }].map(
    (config) => decoder(config).apply(params, text).data as Float32Array,
  );
  const expected = named(longest.outputs, "patcher_logits").values as Float32Array;
  expect(own).toBeAllclose(expected, logitTolerance);
  expect(() => expect(other).toBeAllclose(expected, { atol: 1e-3 })).toThrow();
});

test("greedy generation with a cache equals generation without one", async () => {
  const found = text.slice(0, 20);
  for await (const { id } of generate(model, found.slice(), { maxTokens: 20, cache: cacheFor(model.config) }))
    found.push(id);
  const whole = argmax(model.apply(model.params, found), { axis: -1 }).data;
  expect(found.slice(20)).toEqual(Array.from(whole.slice(19, found.length - 1), Number));
  expect(found.length).toBe(40);
});

const json = ownData.json(`${folder}/config.json`) as Record<string, Record<string, unknown>>;
const weights = ownData.bytes(`${folder}/model.safetensors`);
const loaded = (change: object) =>
  load([
    new File([JSON.stringify({ ...json, ...change })], "config.json"),
    new File([weights as BlobPart], "model.safetensors"),
  ]);

test("the older field names of converted checkpoints give the same model", async () => {
  const older = (name: string) => {
    const { rope_parameters: rope, ...own } = json[name] as { rope_parameters: { rope_theta: number } };
    const { rms_norm_eps: _, ...fields } = own as Record<string, unknown>;
    return { ...fields, rope_theta: rope.rope_theta, rope_scaling: { rope_type: "default" }, norm_eps: 1e-5 };
  };
  const patcher = { ...older("patcher_config"), attn_impl: "sdpa", attn_bias_type: "causal" };
  const found = await loaded({
    patcher_config: patcher,
    encoder_config: { ...older("encoder_config"), pm_size: 0 },
    decoder_config: older("decoder_config"),
    global_config: older("global_config"),
    ...{ patching_threshold_add: 0, patching_device: "cuda", realtime_patching: true, monotonicity: false },
  });
  expect(found.apply(found.params, text).data).toBeAllclose(logits, logitTolerance);
});

test.each<[field: string, change: object, expected: RegExp]>([
  ["patching_mode", { patching_mode: "space" }, /patching_mode.* is "space", expected "entropy"/],
  ["patch_in_forward", { patch_in_forward: false }, /patch_in_forward.* is false, expected true/],
  ["max_patch_length", { max_patch_length: 8 }, /max_patch_length.* is 8, expected null/],
  ["monotonicity", { monotonicity: true }, /monotonicity.* is true, expected false/],
  ["tie_word_embeddings", { tie_word_embeddings: true }, /tie_word_embeddings.* is true, expected false/],
  ["a field that is not known", { patching_alpha: 1 }, /patching_alpha.* expected no such field/],
  [
    "a part that is missing",
    { global_config: null },
    /global_config.* expected the configuration of this part/,
  ],
  [
    "encoder_config.cross_attn_all_layers",
    { encoder_config: { ...json["encoder_config"], cross_attn_all_layers: true } },
    /encoder_config: cross_attn_all_layers.* is true, expected false/,
  ],
  [
    "decoder_config.cross_attn_k",
    { decoder_config: { ...json["decoder_config"], cross_attn_k: 4 } },
    /decoder_config: cross_attn_k.* is 4, expected 2/,
  ],
  [
    "a field of a part that is not known",
    { global_config: { ...json["global_config"], sliding_window: 8 } },
    /global_config: sliding_window.* expected no such field/,
  ],
])("%s is refused by name", async (_, change, expected) => {
  await expect(loaded(change)).rejects.toThrow(expected);
});
