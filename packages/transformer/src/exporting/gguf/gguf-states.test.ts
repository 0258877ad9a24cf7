/// <reference types="node" />
import * as attention from "@qkv/attention";
import { readGgufHeader } from "@qkv/core";
import * as tensors from "@qkv/tensor";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import { describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { casesByTier } from "../../../../../scripts/tier.mjs";
import { referenceData } from "../../../../../conformance/reference-data.mjs";
import { load } from "../../load.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { decoder, type DecoderParams } from "../../models/decoder.js";
import { exportModel } from "../export-model.js";
import { memoryFolder } from "../memory-folder.js";
import { canonicalJson } from "../architecture-decoder.js";
import { normalizedConfig } from "../architecture-constraints.js";

const script = (name: string): Promise<unknown> =>
  import(new URL(`../../../../../scripts/${name}.mjs`, import.meta.url).href);
const { scaledParams, prompt } = (await script("random-models")) as {
  scaledParams<T>(ops: typeof tensors, params: T, embeddingScale?: number): T;
  prompt: number[];
};
const { tableParams } = (await script("random-table-models")) as {
  tableParams(name: string, ops: typeof tensors, params: DecoderParams): DecoderParams;
};
const { rwkv7Files, stateConfigs, llamaCppStateArchitectures } = (await script("random-state-models")) as {
  rwkv7Files(ops: typeof tensors, write: typeof writeSafetensors): Promise<File[]>;
  stateConfigs(packages: { attention: unknown; tensor: unknown }): Record<string, DecoderConfig>;
  llamaCppStateArchitectures: Record<string, string>;
};
const configs = stateConfigs({ attention, tensor: tensors });

function randomModel(name: string, config = configs[name]!) {
  const { init, apply } = decoder(config);
  const params = tableParams(name, tensors, scaledParams(tensors, init(1), config.embeddingScale));
  return { config, params, apply };
}

async function exportedBytes(model: Parameters<typeof exportModel>[0]): Promise<Uint8Array<ArrayBuffer>> {
  const out = memoryFolder();
  await exportModel(model, { to: "gguf", out });
  return new Uint8Array(await out.files[0]!.arrayBuffer());
}

const logits = ({ apply, params }: ReturnType<typeof randomModel>) => apply(params, prompt).data;

/** Fields that differ after loading, without an effect on the logits. */
const readAs: Record<string, Partial<DecoderConfig>> = {
  // Rows of queries and keys are permuted.
  bamba: { ropeLayout: "interleaved" },
  // Scales are multiplied into the matrices.
  falcon_h1: { embeddingScale: 1, logitScale: 1 },
  // No layer has this width.
  "nemotron_h, experts": { hiddenDim: 48 },
};

describe.each(casesByTier(Object.keys(configs), (name) => name === "mamba"))("%s", (name) => {
  const model = randomModel(name);
  test("the file has the architecture name, and loads as the same model", async () => {
    const file = await exportedBytes(model);
    expect(readGgufHeader(file).metadata.get("general.architecture")).toBe(
      llamaCppStateArchitectures[name] ?? name,
    );
    const reloaded = await load(file);
    expect(logits(reloaded)).toBeAllclose(logits(model), { rtol: 1e-5, atol: 1e-5 });
    const functions: unknown[] = [];
    const [expected, loaded] = [{ ...model.config, ...readAs[name] }, reloaded.config].map((config) =>
      canonicalJson(normalizedConfig(config, reloaded.params), functions),
    );
    expect(loaded).toBe(expected);
  });

  test("negative control: changed bytes of an output projection change the logits", async () => {
    const file = await exportedBytes(model);
    const { tensors, dataStart } = readGgufHeader(file);
    const changedTensor = tensors.find((entry) =>
      /blk\.[01]\.(shortconv\.out_proj|ssm_out)\.weight/.test(entry.name),
    )!;
    file.fill(0x3c, dataStart + changedTensor.offset, dataStart + changedTensor.offset + 64);
    const reloaded = await load(file);
    expect(() => expect(logits(reloaded)).toBeAllclose(logits(model), { rtol: 1e-3, atol: 1e-3 })).toThrow();
  });
});

/** Hugging Face checkpoints, with the error of those that llama.cpp does not support. */
const folders: Record<string, RegExp | undefined> = {
  "falcon-h1": undefined,
  lfm2: undefined,
  mamba: undefined,
  "granite-moe-hybrid": undefined,
  "nemotron-h": /`config\.experts` .*expected nothing, as nemotron_h has it/s,
  "qwen3-next": /`config\.layerTypes` is "a mixer with valueDim 10", expected valueDim = keyDim = 8/,
  "qwen3-5-text": /`config\.layerTypes` is "a mixer with valueDim 10", expected valueDim = keyDim = 8/,
  rwkv7: /`config\.layerTypes` is "a head dimension of 8", expected a multiple of 64, as rwkv7 has it/,
  minimax: undefined,
  mamba2: /outputNorm` is "whole", expected group, as mamba2 has it/,
};

const exported = Object.keys(folders).filter((name) => referenceData.has(`hf/${name}/model.safetensors`));

test.each(casesByTier(exported, (name) => ["mamba", "minimax", "rwkv7"].includes(name)))(
  "%s: a Hugging Face checkpoint exports to a file with the same logits, or is refused",
  async (name) => {
    const model = await load(referenceData.path(`hf/${name}`));
    const refusal = folders[name];
    if (refusal) return expect(exportedBytes(model)).rejects.toThrow(refusal);
    const again = await load(await exportedBytes(model));
    expect(logits(again)).toBeAllclose(logits(model), { rtol: 1e-5, atol: 1e-5 });
  },
);

test("rwkv7: the file loads as the same model, and changed bytes of a token-shift weight change the logits", async () => {
  const model = await load(await rwkv7Files(tensors, writeSafetensors));
  const file = await exportedBytes(model);
  const reloaded = await load(file);
  expect(logits(reloaded)).toEqual(logits(model));
  const functions: unknown[] = [];
  const [expected, loaded] = [model, reloaded].map(({ config, params }) =>
    canonicalJson(normalizedConfig(config, params), functions),
  );
  expect(loaded).toBe(expected);
  const { tensors: stored, dataStart, metadata } = readGgufHeader(file);
  expect(metadata.get("rwkv7.wkv.head_size")).toBe(64);
  const shares = stored.find(({ name }) => name === "blk.1.time_mix_lerp_fused.weight")!;
  expect(shares.dims).toEqual([128, 1, 1, 6]);
  file.fill(0x3f, dataStart + shares.offset, dataStart + shares.offset + 512);
  const other = logits(await load(file));
  expect(() => expect(other).toBeAllclose(logits(model), { rtol: 1e-3, atol: 1e-3 })).toThrow();
});

const mamba2With = (change: Partial<attention.MixerLayerConfig>): DecoderConfig => {
  const [layer] = configs["mamba2"]!.layerTypes as [attention.MixerLayer];
  const other = attention.mixerLayer({ ...layer.config, ...change }) as unknown as attention.MixerLayer;
  return { ...configs["mamba2"]!, layerTypes: [other, other, other, other] };
};

test.each<[string, DecoderConfig, RegExp]>([
  [
    "an output norm over all heads with two key heads",
    { ...mamba2With({ numKeyHeads: 2 }), numKvHeads: 2 },
    /`config\.layerTypes\[0\]\.config\.outputNorm` is "whole", expected group, as mamba2 has it/,
  ],
  [
    "another output gate",
    mamba2With({ outputGate: tensors.sigmoid }),
    /`config\.layerTypes\[0\]\.config\.outputGate` is .*expected silu, as mamba2 has it/,
  ],
  [
    "biases of projections",
    mamba2With({ bias: true }),
    /`config\.layerTypes\[0\]\.config\.bias` is true, expected nothing, as mamba2 has it/,
  ],
])("%s is refused by name", async (_, config, message) => {
  await expect(exportedBytes(randomModel("mamba2", config))).rejects.toThrow(message);
});

test("attention layers without a period are refused, with the first that differs", async () => {
  const [delta] = configs["qwen3_5"]!.layerTypes as [attention.MixerLayer];
  const config = { ...configs["qwen3_5"]!, layerTypes: [delta, "full", delta, delta] as never };
  await expect(exportedBytes(randomModel("qwen3_5", config))).rejects.toThrow(
    /`config\.layerTypes\[3\]` is "gatedDeltaRule\(\)", expected full, as qwen35 has it/,
  );
});

test('a file loaded with `quantize: "int8"` gives close logits', async () => {
  const model = randomModel("qwen3_5");
  const again = await load(await exportedBytes(model), { quantize: "int8" });
  expect(logits(again as never)).toBeAllclose(logits(model), { rtol: 0.2, atol: 0.4 });
});

test("a Mamba with other channels than 2 · embedDim is refused", async () => {
  const [layer] = configs["mamba"]!.layerTypes as [attention.MixerLayer];
  const narrow = attention.mixerLayer({ ...layer.config, numHeads: 64 }) as unknown as attention.MixerLayer;
  const config = { ...configs["mamba"]!, numHeads: 64, layerTypes: [narrow, narrow, narrow, narrow] };
  await expect(exportedBytes(randomModel("mamba", config))).rejects.toThrow(
    /64 channels of a mixer.*2 · embedDim = 128/,
  );
});

test("positive decay rates in a file are refused", async () => {
  const file = await exportedBytes(randomModel("mamba"));
  const { tensors, dataStart } = readGgufHeader(file);
  const { offset } = tensors.find(({ name }) => name === "blk.2.ssm_a")!;
  new DataView(file.buffer).setFloat32(dataStart + offset + 8, 0.25, true);
  await expect(load(file)).rejects.toThrow(/blk\.2\.ssm_a` is 0\.25, expected rates of decay, at most 0/);
});
