import { QkvError } from "@qkv/core";
import { argmax, js, mapTensors, randn, slice, type Tensor } from "@qkv/tensor";
import {
  cacheFor,
  decoder,
  generate,
  load,
  type DecoderConfig,
  type DecoderParams,
  type Model,
} from "@qkv/transformer";
import { lora } from "@qkv/transformer/adapters";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import { afterAll, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { ownData } from "../../reference-data.mjs";
import { logitTolerance } from "./agree.js";
import { decoderFolders } from "./decoder-folders.js";
import { casesByTier } from "../../../scripts/tier.mjs";

type Refs = { greedy?: { prompt: number[]; tokens: number[] }[] };

/** Architectures that are exported as another one with the same computation. */
const writtenAs: Readonly<Record<string, string>> = { "ernie4-5": "llama", opt: "gpt2" };

const sixteen = [3, 14, 15, 9, 26, 5, 35, 8, 97, 93, 23, 84, 62, 64, 33, 83];
/** Token ids below a model's vocabulary size. */
const idsFor = ({ config }: Model) => sixteen.map((id) => id % config.vocabSize);

/** In the first tier, a decoder with grouped heads, windows, and norms before and after each layer. */
const folders = decoderFolders();
const tested = casesByTier(folders, (name) => name === "gemma2");

test("the folder contains decoders", () => expect(folders.length).toBeGreaterThan(25));

test.each(tested)(
  "%s: logits with a cache, in chunks of any length, equal those of one pass",
  async (name) => {
    const model = await load(ownData.path(`hf/${name}`), { device: js() });
    const ids = idsFor(model);
    const whole = model.apply(model.params, ids);
    for (const chunk of [1, 3, 5, ids.length]) {
      const cache = cacheFor(model.config, { checkpoints: 8 });
      for (let at = 0; at < ids.length; at += chunk) {
        const end = Math.min(at + chunk, ids.length);
        const logits = model.apply(model.params, ids.slice(at, end), { cache });
        expect(logits.data).toBeAllclose(slice(whole, 1, at, end).data, logitTolerance);
      }
    }
  },
);

test.each(tested)("%s: an adapter of all linear layers and embeddings, unmerged and merged", async (name) => {
  const model = await load(ownData.path(`hf/${name}`), { device: js() });
  const ids = idsFor(model).slice(0, 4);
  for (const target_modules of ["all-linear", ".*emb.*|.*wte"]) {
    const tuned = lora(model, { r: 2, target_modules });
    const random = (x: Tensor, path: string) => randn(x.shape, { seed: path.length });
    const adapter = mapTensors(tuned.init(1), random);
    const beside = tuned.apply(adapter, ids);
    const merged = tuned.merge(adapter);
    expect(merged.apply(merged.params, ids)).toBeAllclose(beside, { rtol: 1e-3, atol: 1e-3 });
    expect(model.apply(model.params, ids)).not.toBeAllclose(beside, { rtol: 0, atol: 0.1 });
  }
});

test.each(tested)("%s: generation continues from a saved cache", async (name) => {
  const model = await load(ownData.path(`hf/${name}`), { device: js() });
  const ids = idsFor(model);
  const cache = cacheFor(model.config);
  model.apply(model.params, ids.slice(0, 9), { cache });
  const restored = cacheFor(model.config);
  restored.restore(cache.save());
  const [a, b] = [cache, restored].map((one) => model.apply(model.params, ids.slice(9), { cache: one }));
  expect(b!.data).toEqual(a!.data);
});

test.each(tested)("%s: an export to Hugging Face's format loads as the same model", async (name) => {
  const model = await load(ownData.path(`hf/${name}`), { device: js() });
  const { files, ...out } = memoryFolder();
  await exportModel(model, { to: "hf", out: { ...out } });
  const config = JSON.parse(await files.find((file) => file.name === "config.json")!.text()) as object;
  const original = ownData.json(`hf/${name}/config.json`) as { model_type: string };
  expect(config).toHaveProperty("model_type", writtenAs[name] ?? original.model_type);
  const back = await load(files);
  const ids = idsFor(model);
  expect(back.apply(back.params, ids).data).toBeAllclose(model.apply(model.params, ids).data, logitTolerance);
  // The written weights are the products with the multipliers that loading folded in.
  const { checkpoint = { modelType: "" }, ...others } = model.config;
  const expected = { ...others, checkpoint: { modelType: checkpoint.modelType } };
  if (!(name in writtenAs)) expect(described(back.config)).toEqual(described(expected));
});

/**
 * A comparable form of a configuration: layers, mixers and linear maps are replaced by their names and configurations.
 */
function described(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(described);
  const { name, config, ...others } = value as { name?: string; config?: unknown };
  const made = name !== undefined && Object.values(others).some((one) => typeof one === "function");
  if (made) return { name, config: described(config) };
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, described(one)]));
}

test.each(tested)("%s: quantized to 8 bits, it mostly chooses the same next tokens", async (name) => {
  const { greedy = [await ownGreedy(name)] } = ownData.json(`hf/${name}/refs.json`) as Refs;
  const model = await load(ownData.path(`hf/${name}`), { device: js(), quantize: "int8" });
  let [same, all] = [0, 0];
  for (const { prompt, tokens } of greedy) {
    const logits = model.apply(model.params, [...prompt, ...tokens.slice(0, -1)], { last: tokens.length });
    const chosen = argmax(logits, { axis: -1 }).data;
    same += tokens.filter((token, i) => token === chosen[i]).length;
    all += tokens.length;
  }
  agreement[name] = all === 0 ? 1 : same / all;
  expect(agreement[name]).toBeGreaterThan(0.7);
});

/** The unquantized model's greedy tokens, if the references have none. */
async function ownGreedy(name: string): Promise<{ prompt: number[]; tokens: number[] }> {
  const model = await load(ownData.path(`hf/${name}`), { device: js() });
  const [prompt, tokens] = [idsFor(model), [] as number[]];
  for await (const { id } of generate(model, prompt, { maxTokens: 24 })) tokens.push(id);
  return { prompt, tokens };
}

/** Fields that are no traits: sizes, initialization, stop tokens, and those that follow from the weights. */
const sizes = [
  ...[
    "vocabSize",
    "embedDim",
    "hiddenDim",
    "numLayers",
    "numHeads",
    "numKvHeads",
    "headDim",
    "contextLength",
  ],
  ...["stopIds", "bias", "window", "gated", "checkpoint"],
] as readonly string[];

test.each(tested)(
  "%s: each trait of its configuration changes the logits when it is left out",
  async (name) => {
    const { config, params } = await load(ownData.path(`hf/${name}`), { device: js() });
    const text = Array.from({ length: 40 }, (_, i) => (37 * i + 11) % config.vocabSize);
    const whole = decoder(config).apply(params, text).data;
    for (const trait of Object.keys(config).filter((key) => !sizes.includes(key))) {
      const { [trait as "norm"]: value, ...others } = config;
      // A trait with its default value is none.
      if (JSON.stringify(value) === JSON.stringify(defaults[trait])) continue;
      if (ones[name]?.includes(trait)) continue;
      expect(farthest(others as typeof config, params, text, whole), trait).toBeGreaterThan(1e-3);
    }
    // Of a layer's own fields, all except its width, which follows from the weights.
    const fields = new Set(config.layerOverrides?.flatMap((one) => Object.keys(one ?? {})));
    for (const field of [...fields].filter((field) => field !== "hiddenDim")) {
      const layerOverrides = config.layerOverrides!.map((one) => one && { ...one, [field]: undefined });
      const without = { ...config, layerOverrides } as typeof config;
      expect(farthest(without, params, text, whole), `layerOverrides: ${field}`).toBeGreaterThan(1e-3);
    }
  },
);

/** Traits whose weights are all 1 in a checkpoint, as before training. Unit tests have other values. */
const ones: Readonly<Record<string, readonly string[]>> = { "gemma4-text": ["layerScale"] };

/** Default values that a configuration may contain. */
const defaults: Readonly<Record<string, unknown>> = {
  norm: "rms",
  placement: "pre",
  activation: "silu",
  positions: "rotary",
  ropeBase: 10000,
  ropeLayout: "half",
  embeddingScale: 1,
};

/** The largest change of a logit; Infinity if the weights do not fit the configuration. */
function farthest(
  config: DecoderConfig,
  params: DecoderParams,
  text: readonly number[],
  whole: ArrayLike<number>,
): number {
  try {
    const { data } = decoder({ ...config, normEps: config.normEps ?? 0.1 }).apply(params, text);
    return Math.max(...Array.from(data, (x, i) => Math.abs(x - whole[i]!)));
  } catch (error) {
    if (error instanceof QkvError) return Infinity;
    throw error;
  }
}

const agreement: Record<string, number> = {};
afterAll(() => {
  const rows = Object.entries(agreement).map(([name, share]) => `${name} ${(100 * share).toFixed(0)} %`);
  console.log(`tokens that int8 chooses alike: ${rows.join(", ")}`);
});
