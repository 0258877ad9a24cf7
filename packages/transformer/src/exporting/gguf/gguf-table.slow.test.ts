/// <reference types="node" />
import { readGgufHeader, writeGgufHeader, type GgufField } from "@qkv/core";
import * as tensors from "@qkv/tensor";
import { mapTensors, slice, type Tensor } from "@qkv/tensor";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { referenceData } from "../../../../../conformance/reference-data.mjs";
import { ggufArchitectures } from "../../checkpoints/gguf/gguf-names.js";
import { ggufTable } from "../../checkpoints/gguf/gguf-table.js";
import { load } from "../../load.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { decoder, type DecoderParams } from "../../models/decoder.js";
import { exportModel } from "../export-model.js";
import { memoryFolder } from "../memory-folder.js";

type XieluLayer = { xielu: { positive: Tensor } };
type Configs = Record<string, DecoderConfig>;
const scripts = (name: string) => new URL(`../../../../../scripts/${name}.mjs`, import.meta.url).href;
const { scaledParams, prompt } = (await import(scripts("random-models"))) as {
  scaledParams<T>(ops: typeof tensors, params: T, embeddingScale?: number): T;
  prompt: number[];
};
const { tableConfigs, tableParams, llamaCppArchitectures } = (await import(
  scripts("random-table-models")
)) as {
  tableConfigs: Configs;
  tableParams(name: string, ops: typeof tensors, params: DecoderParams): DecoderParams;
  llamaCppArchitectures: Record<string, string | RegExp>;
};

type GgufHeaders = { readGgufHeader: typeof readGgufHeader; writeGgufHeader: typeof writeGgufHeader };
const { withGgufMetadata } = (await import(scripts("gguf-metadata"))) as {
  withGgufMetadata(
    core: GgufHeaders,
    file: Uint8Array<ArrayBuffer>,
    change: (fields: Record<string, GgufField>) => void,
  ): Uint8Array<ArrayBuffer>;
};

const randomModel = (name: string) => {
  const config = tableConfigs[name]!;
  const { init, apply } = decoder(config);
  const params = tableParams(name, tensors, scaledParams(tensors, init(1), config.embeddingScale));
  return { config, params, apply };
};

async function exportedBytes(model: Parameters<typeof exportModel>[0]): Promise<Uint8Array<ArrayBuffer>> {
  const out = memoryFolder();
  await exportModel(model, { to: "gguf", out });
  return new Uint8Array(await out.files[0]!.arrayBuffer());
}

/** Elements of all params, sorted by path. */
function sortedNumbers(params: unknown): [string, Tensor["data"]][] {
  const list: [string, Tensor["data"]][] = [];
  mapTensors(params, (x, path) => (list.push([path, x.data]), x));
  return list.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A copy of the file with changed metadata. */
const withMetadata = (
  file: Uint8Array<ArrayBuffer>,
  change: (fields: Record<string, GgufField>) => void,
): Uint8Array<ArrayBuffer> => withGgufMetadata({ readGgufHeader, writeGgufHeader }, file, change);

describe.each(Object.keys(tableConfigs))("%s", (name) => {
  const model = randomModel(name);
  const architectureOrReason = llamaCppArchitectures[name] ?? name;

  if (typeof architectureOrReason !== "string") {
    test("export is refused, with the reason", async () => {
      await expect(exportedBytes(model)).rejects.toThrow(architectureOrReason);
    });
    return;
  }

  test("the file has the architecture name, and loads as the same model, bit for bit", async () => {
    const file = await exportedBytes(model);
    expect(readGgufHeader(file).metadata.get("general.architecture")).toBe(architectureOrReason);
    const again = await load(file);
    const [before, after] = [model, again].map(({ apply, params }) => apply(params, prompt).data);
    const isPermuted =
      again.config.ropeLayout !== (model.config.ropeLayout ?? "half") && again.config.ropeLayout;
    // The frequency factors of llama3 scaling are stored in float32.
    if (isPermuted || model.config.ropeScaling?.type === "llama3")
      expect(after!).toBeAllclose(before!, { rtol: 1e-5, atol: 1e-5 });
    else expect(after).toEqual(before);
    // Rows of queries and keys may be permuted; all other params are the same.
    const isSame = ([path]: [string, unknown]) => !(isPermuted && /attention\.(query|key)\./.test(path));
    const [exportedParams, loadedParams] = [model, again].map(({ params }) =>
      sortedNumbers(params).filter(isSame),
    );
    expect(loadedParams).toEqual(
      model.params.output || !again.params.output
        ? exportedParams
        : [...exportedParams!, ["output.weight", again.params.embedding.weight.data]],
    );
    expect(again.config.normEps).toBeCloseTo(model.config.normEps, 12);
  });

  test("negative control: changed bytes of one tensor change the logits", async () => {
    const file = await exportedBytes(model);
    const { tensors, dataStart } = readGgufHeader(file);
    const changedTensor = tensors.find((entry) =>
      /blk\.1\..*(attn_v|attn_qkv|attn_kv_b|attn_v_b|ssm_out|out_proj)\.weight/.test(entry.name),
    )!;
    file.fill(0x3c, dataStart + changedTensor.offset, dataStart + changedTensor.offset + 64);
    const again = await load(file);
    const [before, after] = [model, again].map(({ apply, params }) => apply(params, prompt).data);
    expect(() => expect(after!).toBeAllclose(before!, { rtol: 1e-3, atol: 1e-3 })).toThrow();
  });

  test("an unknown metadata key is refused by name", async () => {
    const file = await exportedBytes(model);
    if (!ggufTable.some((row) => row.name === architectureOrReason)) return;
    const withUnknownKey = withMetadata(file, (fields) => {
      fields[`${architectureOrReason}.attention.odd_factor`] = { type: "float32", value: 0.5 };
    });
    await expect(load(withUnknownKey)).rejects.toThrow(
      /attention\.odd_factor.*is 0\.5, expected no such field/s,
    );
  });
});

test.each(["seed_oss", "glm4_moe"])(
  "%s: the norm before the feed-forward layer has the name that llama.cpp reads",
  async (name) => {
    const names = readGgufHeader(await exportedBytes(randomModel(name))).tensors.map((entry) => entry.name);
    expect(names.filter((tensorName) => /^blk\.0\..*norm\.weight$/.test(tensorName))).toEqual([
      "blk.0.attn_norm.weight",
      "blk.0.post_attention_norm.weight",
    ]);
  },
);

const folders = [
  ...["apertus", "arcee", "bloom", "cohere2", "deepseek-v3", "deepseek-v32", "ernie4-5"],
  ...["exaone4", "falcon-multi-query", "gemma3n-text", "gemma4-text", "glm4", "gpt-neox", "gpt-oss"],
  ...["granite", "llama4-text", "minicpm3", "olmo2", "olmo3", "smollm3"],
  ...["starcoder2"],
].filter((name) => referenceData.has(`hf/${name}/model.safetensors`));

test.each(folders)(
  "%s: a Hugging Face checkpoint exports to a file with the same logits, or is refused",
  async (name) => {
    const model = await load(referenceData.path(`hf/${name}`));
    const out = memoryFolder();
    const exported = exportModel(model, { to: "gguf", out });
    const refusal = refusedFolders[name];
    if (refusal) return expect(exported).rejects.toThrow(refusal);
    await exported;
    const again = await load(new Uint8Array(await out.files[0]!.arrayBuffer()));
    const [before, after] = [model, again].map(({ apply, params }) => apply(params, [3, 14, 15, 9, 26]).data);
    expect(after!).toBeAllclose(before!, { rtol: 1e-5, atol: 1e-5 });
  },
);

/** Errors of checkpoints whose settings llama.cpp does not support. */
const refusedFolders: Record<string, RegExp> = {
  "gemma3n-text": /`config\.\w+.*as gemma3n has it, which this model is nearest to/,
  "gemma4-text": /`config\.sharedKeyValues` is \[0, 1, 2, 1\], expected \[0,1,2,2\], as gemma4 has it/,
  "llama4-text": /as llama4 has it, which this model is nearest to/,
  minicpm3: /`config\.logitScale` is 0\.5, expected 5\.33\d+, as minicpm3 has it/,
  exaone4: /which this model is nearest to/,
  starcoder2: /`config\.layerTypes` is \["sliding", "sliding"\], expected nothing, as starcoder2 has it/,
};

test("golden: tensor names and metadata keys of cohere2", async () => {
  const { metadata, tensors } = readGgufHeader(await exportedBytes(randomModel("cohere2")));
  expect(Object.fromEntries([...metadata].filter(([key]) => key.startsWith("cohere2.")))).toEqual({
    "cohere2.vocab_size": 64,
    "cohere2.context_length": 256,
    "cohere2.embedding_length": 64,
    "cohere2.block_count": 4,
    "cohere2.feed_forward_length": 96,
    "cohere2.attention.head_count": 4,
    "cohere2.attention.head_count_kv": 2,
    "cohere2.attention.key_length": 16,
    "cohere2.attention.value_length": 16,
    "cohere2.attention.layer_norm_epsilon": Math.fround(1e-5),
    "cohere2.attention.sliding_window": 6,
    "cohere2.attention.sliding_window_pattern": 4,
    "cohere2.logit_scale": 0.5,
    "cohere2.rope.dimension_count": 16,
    "cohere2.rope.freq_base": 10000,
  });
  expect(tensors.map(({ name }) => name).filter((name) => !/blk\.[123]\./.test(name))).toEqual([
    "token_embd.weight",
    "blk.0.attn_norm.weight",
    "blk.0.attn_q.weight",
    "blk.0.attn_k.weight",
    "blk.0.attn_v.weight",
    "blk.0.attn_output.weight",
    "blk.0.ffn_gate.weight",
    "blk.0.ffn_up.weight",
    "blk.0.ffn_down.weight",
    "output_norm.weight",
  ]);
});

test.each<[string, string, Partial<DecoderConfig>, RegExp]>([
  [
    "heads of another size",
    "olmo2",
    { headDim: 32 },
    /`config\.headDim` is 32, expected embedDim \/ numHeads = 16/,
  ],
  [
    "a partial rotary embedding",
    "olmo2",
    { ropeDim: 8 },
    /`config\.ropeDim` is 8, expected nothing: all numbers/,
  ],
  [
    "another activation",
    "starcoder2",
    { activation: "tanh" },
    /`config\.activation` is "tanh", expected gelu/,
  ],
  ["softcaps", "starcoder2", { logitSoftcap: 30 }, /`config\.logitSoftcap` is 30, expected nothing/],
  [
    "sliding layers in another order",
    "cohere2",
    { layerTypes: ["full", "sliding", "sliding", "full"] },
    /config\.layerTypes|config\.ropeLayers/,
  ],
])("%s is refused by name", async (_, name, change, message) => {
  const config = { ...tableConfigs[name]!, ...change };
  const params = tableParams(name, tensors, scaledParams(tensors, decoder(config).init(1)));
  await expect(exportedBytes({ config, params })).rejects.toThrow(message);
});

test("gpt-oss without a router bias is refused by name", async () => {
  const config = tableConfigs.gpt_oss!;
  const model = { config, params: tableParams("seed_oss", tensors, decoder(config).init(1)) };
  await expect(exportedBytes(model)).rejects.toThrow(/`params\.layers\.0\.feedForward\.router\.bias`/);
});

test("the YaRN correction range is truncated for all architectures but gpt-oss; others are refused", async () => {
  const rounded = { type: "yarn", factor: 4, originalLength: 32 } as const;
  const exact = { ...rounded, truncate: false };
  const model = randomModel("gpt_oss");
  const load32 = async (ropeScaling: DecoderConfig["ropeScaling"]) =>
    (await load(await exportedBytes({ ...model, config: { ...model.config, ropeScaling: ropeScaling! } })))
      .config;
  expect((await load32(exact)).ropeScaling).toMatchObject(exact);
  await expect(load32(rounded)).rejects.toThrow(
    /`config\.ropeScaling` .*"truncate":false.*as gpt-oss has it/,
  );
  const { config, params } = randomModel("olmo2");
  const other = exportedBytes({ config: { ...config, ropeScaling: exact }, params });
  await expect(other).rejects.toThrow(/`config\.ropeScaling` .*"truncate":true.*as olmo2 has it/);
});

test("xIELU parameters are metadata lists; a scalar applies to all layers, and a missing or long list is refused", async () => {
  const model = randomModel("apertus");
  const file = await exportedBytes(model);
  const { metadata, tensors } = readGgufHeader(file);
  const { layers } = model.params;
  const positive = layers.map((layer) => Number((layer.feedForward as XieluLayer).xielu.positive.data[0]));
  expect(metadata.get("xielu.alpha_p")).toEqual(positive);
  expect(tensors.some(({ name }) => name.includes("xielu"))).toBe(false);
  const change = (value: GgufField | undefined) =>
    load(
      withMetadata(file, (fields) => {
        if (value) fields["xielu.alpha_p"] = value;
        else delete fields["xielu.alpha_p"];
      }),
    );
  const withOneValue = await change({ type: "float32", value: 0.5 });
  for (const { feedForward } of withOneValue.params.layers)
    expect([...(feedForward as XieluLayer).xielu.positive.data]).toEqual([0.5]);
  await expect(change(undefined)).rejects.toThrow(
    /blk\.0\.xielu\.alpha_p` is undefined, expected a tensor \[1\]/,
  );
  const long = change({ type: "float32[]", value: [...positive, 1] });
  await expect(long).rejects.toThrow(/blk\.4\.xielu\.alpha_p` is "a tensor that is not read"/);
});

test("Llama 4 has no qkNorm with 128 experts, and other values than those of llama.cpp are refused", async () => {
  const { config } = randomModel("llama4_text");
  const { qkNorm: _, qkNormPlace: __, ...without } = config;
  const experts = { ...config.experts!, numExperts: 128, hiddenDim: 4, shared: { hiddenDim: 4 } };
  const read = async (changed: DecoderConfig) =>
    (await load(await exportedBytes({ config: changed, params: decoder(changed).init(1) }))).config.qkNorm;
  expect(await read(config)).toBe("unit");
  expect(await read({ ...without, experts })).toBeUndefined();
  await expect(read({ ...config, experts })).rejects.toThrow(/`config\.qkNorm`.* is "unit", expected/);
  await expect(read({ ...config, chunkSize: 16 })).rejects.toThrow(
    /`config\.chunkSize` is 16, expected 8192/,
  );
  await expect(read({ ...config, ropeLayers: [true, false, true, false] })).rejects.toThrow(
    /`config\.ropeLayers`/,
  );
});

test("Gemma 4: smaller per-layer embeddings load, the softcap defaults to 30, and unsupported sharing is refused", async () => {
  const { config, params } = randomModel("gemma4_text");
  const { embedding, ...others } = params.perLayer!;
  const fewer = { ...embedding, weight: slice(embedding.weight, 0, 0, 60) };
  const short = {
    config: { ...config, perLayerEmbedding: { ...config.perLayerEmbedding!, vocabSize: 60 } },
    params: { ...params, perLayer: { ...others, embedding: fewer } },
  };
  const again = await load(await exportedBytes(short));
  const ids = [3, 61, 14, 60, 63];
  expect(again.apply(again.params, ids).data).toEqual(decoder(short.config).apply(short.params, ids).data);

  const file = await exportedBytes({ config, params });
  expect(readGgufHeader(file).metadata.get("gemma4.final_logit_softcapping")).toBe(0);
  const capped = await load(withMetadata(file, (fields) => delete fields["gemma4.final_logit_softcapping"]));
  expect(capped.config.logitSoftcap).toBe(30);

  const modified = file.slice();
  const { tensors: stored, dataStart } = readGgufHeader(modified);
  const factors = stored.find(({ name }) => name === "rope_freqs.weight")!;
  new DataView(modified.buffer).setFloat32(dataStart + factors.offset, 2, true);
  await expect(load(modified)).rejects.toThrow(
    /rope_freqs\.weight` is \[.*, expected 1 for pairs that rotate.*\nFix: qkv implements no other factors/,
  );

  const shares = { ...config, sharedKeyValues: [0, 1, 2, 3, 4, 5, 1, 5] };
  await expect(exportedBytes({ config: shares, params })).rejects.toThrow(
    /`config\.sharedKeyValues`.*as gemma4 has it/,
  );
  const { ropeScaling: _, ...unscaled } = config;
  await expect(exportedBytes({ config: unscaled, params })).rejects.toThrow(
    /`config\.ropeScaling`.*as gemma4 has it/,
  );
});

describe("Gemma 3n", () => {
  const model = randomModel("gemma3n_text");
  const change = (fields: Partial<DecoderConfig>) => {
    const config = { ...model.config, ...fields };
    return exportedBytes({ config, params: config.altUp ? model.params : decoder(config).init(1) });
  };

  test("AltUp coefficients are clamped on export, as the model clamps them in each call", async () => {
    const altUp = { ...model.config.altUp!, coefficientLimit: 0.25 };
    const config = { ...model.config, altUp };
    const again = await load(await change({ altUp }));
    const correction = (modelParams: DecoderParams) =>
      Array.from(modelParams.layers[3]!.altUp!.correction.data);
    expect(Math.max(...correction(model.params).map(Math.abs))).toBeGreaterThan(0.5);
    expect(Math.max(...correction(again.params).map(Math.abs))).toBe(0.25);
    expect(again.apply(again.params, prompt).data).toEqual(decoder(config).apply(model.params, prompt).data);
  });

  test("layers with shared keys and values have zeros in the file, which are not read", async () => {
    const file = await change({});
    const { tensors: stored, dataStart } = readGgufHeader(file);
    const at = stored.find(({ name }) => name === "blk.21.attn_v.weight")!;
    expect(at.dims).toEqual([64, 32]);
    const numbers = () => new Float32Array(file.buffer, dataStart + at.offset, 64 * 32);
    expect(new Set(numbers())).toEqual(new Set([0]));
    numbers().fill(3);
    const again = await load(file);
    expect(again.apply(again.params, prompt).data).toEqual(model.apply(model.params, prompt).data);
  });

  test("the metadata has the fixed values of the published models", async () => {
    const { metadata } = readGgufHeader(await change({}));
    const sparse = metadata.get("gemma3n.activation_sparsity_scale") as number[];
    expect(sparse.slice(8, 12)).toEqual([
      ...new Array<number>(2).fill(Math.fround(1.6448533535003662)),
      -Infinity,
      -Infinity,
    ]);
    expect(metadata.get("gemma3n.attention.shared_kv_layers")).toBe(5);
    expect(metadata.get("gemma3n.altup.num_inputs")).toBe(4);
    expect(metadata.get("gemma3n.attention.sliding_window_pattern")).toHaveLength(25);
  });

  test.each<[string, Partial<DecoderConfig>, RegExp]>([
    [
      "another activation sparsity",
      { layerOverrides: new Array(25).fill({ activationSparsity: 0.9 }) },
      /`config\.layerOverrides/,
    ],
    ["three streams", { altUp: { streams: 3, outputScale: true } }, /`config\.altUp/],
    [
      "sliding layers in another order",
      { layerTypes: new Array<"sliding">(25).fill("sliding") },
      /`config\.layerTypes/,
    ],
    [
      "keys and values of all layers",
      { sharedKeyValues: Array.from({ length: 25 }, (_, i) => i) },
      /`config\.sharedKeyValues` .*expected 5 layers that read/,
    ],
  ])("%s is refused by name", async (_, fields, message) => {
    const config = { ...model.config, ...fields };
    await expect(exportedBytes({ config, params: decoder(config).init(1) })).rejects.toThrow(message);
  });

  test.each<[string, GgufField, RegExp]>([
    [
      "activation_sparsity_scale",
      { type: "float32[]", value: new Array<number>(25).fill(-Infinity) },
      /activation_sparsity_scale` .*expected 1\.64\d+ in the first 10 layers.*\nFix: qkv does not implement/,
    ],
    ["altup.num_inputs", { type: "uint32", value: 3 }, /altup\.num_inputs` is 3, expected 4/],
    [
      "attention.sliding_window_pattern",
      { type: "bool[]", value: new Array<boolean>(25).fill(true) },
      /sliding_window_pattern` .*four layers that slide.*\nFix: qkv does not implement/,
    ],
  ])("a file with another value of %s is refused", async (key, value, message) => {
    const file = withMetadata(await change({}), (fields) => (fields[`gemma3n.${key}`] = value));
    await expect(load(file)).rejects.toThrow(message);
  });
});

test("expert options that llama.cpp does not store are refused by name", async () => {
  const refusal = (name: string, experts: object) => {
    const config = { ...tableConfigs[name]!, experts: { ...tableConfigs[name]!.experts!, ...experts } };
    const params = tableParams(name, tensors, decoder(config).init(1));
    return expect(exportedBytes({ config, params })).rejects;
  };
  await refusal("minimax_m2", { hiddenDim: 48 }).toThrow(/`config\.experts.*as minimax-m2 has it/);
  await refusal("ernie4_5_moe", { layers: [false, true, false, true] }).toThrow(/`config\.experts/);
  await refusal("granitemoeshared", { normTopKProb: false }).toThrow(
    /`config\.experts.*as granitemoe has it/,
  );
  await refusal("deepseek_v32", { shared: undefined }).toThrow(/expected a shared expert/);
});

test.skipIf(!referenceData.has("hf/blt/model.safetensors"))(
  "a model with byte patches is refused",
  async () => {
    const model = await load(referenceData.path("hf/blt"));
    await expect(exportedBytes(model)).rejects.toThrow(
      /`config\.bytePatches` is "patches of bytes", expected nothing: llama\.cpp has no architecture/,
    );
  },
);

test("8-bit weights of latent attention are equal from GGUF and from a Hugging Face folder", async () => {
  const model = randomModel("deepseek_v2");
  const out = memoryFolder();
  await exportModel(model, { to: "hf", out });
  const [gguf, folder] = await Promise.all(
    [await exportedBytes(model), out.files].map((source) => load(source, { quantize: "int8" })),
  );
  expect(gguf!.apply(gguf!.params, prompt).data).toEqual(folder!.apply(folder!.params, prompt).data);
});

test("float32 metadata is read as the shortest decimal number", async () => {
  expect((await load(await exportedBytes(randomModel("granite")))).config).toMatchObject({
    normEps: 1e-5,
    embeddingScale: 3,
    attentionScale: 0.125,
    residualScale: 0.5,
    logitScale: 0.25,
  });
});

test("architecture names of the tables are unique", () => {
  const names = ggufTable.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test("the README lists the architectures of llama.cpp", () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const [, listed = ""] = /- GGUF, by llama\.cpp's names: (.*)/.exec(readme) ?? [];
  const known = [...Object.keys(ggufArchitectures), ...ggufTable.map(({ name }) => name)].sort();
  expect(Array.from(listed.matchAll(/`([^`]+)`/g), ([, name]) => name)).toEqual(known);
});
