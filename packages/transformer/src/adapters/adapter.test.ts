// Adapters of random factors, compared to a merge computed in the test. Adapters saved by PEFT are tested in the conformance suite.
import { add, mapTensors, matmul, mul, randn, slice, transpose, type Tensor } from "@qkv/tensor";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import "@qkv/test-support/allclose";
import { beforeAll, expect, test } from "vitest";
import { exportModel } from "../exporting/export-model.js";
import { memoryFolder } from "../exporting/memory-folder.js";
import { load } from "../load.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { decoder, type DecoderParams } from "../models/decoder.js";
import { referenceData } from "../../../../conformance/reference-data.mjs";
import { loadAdapter } from "./load-adapter.js";
import { lora } from "./lora.js";
import type { LoraConfig } from "./lora-config.js";
import { saveAdapter } from "./save-adapter.js";

const config: DecoderConfig = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
};
const gpt2: DecoderConfig = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 32, numLayers: 1, numHeads: 2, numKvHeads: 2 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [], norm: "layer", activation: "geluTanh", gated: false },
  ...{ positions: "learned", bias: { queryKeyValue: true, attentionOutput: true, feedForward: true } },
};
const baseDecoder = decoder(config);
const params: DecoderParams = { ...baseDecoder.init(1), output: { weight: randn([11, 8], { seed: 9 }) } };
const prefix = "base_model.model.model.layers.0.self_attn.";
const [A, B] = [randn([2, 8], { seed: 2 }), randn([8, 2], { seed: 3 })];
const settings = { peft_type: "LORA", r: 2, lora_alpha: 6 };
const queryFactors = {
  [`${prefix}q_proj.lora_A.weight`]: A,
  [`${prefix}q_proj.lora_B.weight`]: B,
};
/** The sums are the same, but float32 products are added in another order. */
const tolerance = { rtol: 1e-6, atol: 1e-6 };
let base: File[];

async function adapter(tensors: Record<string, Tensor>, fields: object = {}): Promise<File[]> {
  return [
    new File([JSON.stringify({ ...settings, ...fields })], "adapter_config.json"),
    new File([(await writeSafetensors(tensors)) as BlobPart], "adapter_model.safetensors"),
  ];
}

beforeAll(async () => {
  const out = memoryFolder();
  await exportModel({ config, params }, { to: "hf", out });
  base = out.files;
});

const queryWeight = (model: { params: DecoderParams }) => model.params.layers[0]!.attention.query.weight;
const expectedQuery = (scale: number) => add(queryWeight({ params }), mul(matmul(B, A), scale));

test("load adds B A times alpha / r to the adapted matrix and changes no other tensor", async () => {
  const model = await load(base, { adapter: await adapter(queryFactors) });
  expect(queryWeight(model).data).toBeAllclose(expectedQuery(3).data, tolerance);
  expect(model.params.layers[0]!.attention.key.weight.data).toEqual(
    params.layers[0]!.attention.key.weight.data,
  );
  const ids = [3, 1, 4];
  expect(model.apply(model.params, ids).data).not.toBeAllclose(
    baseDecoder.apply(params, ids).data,
    tolerance,
  );
});

test("an adapter with B = 0 does not change the adapted matrix, bit for bit", async () => {
  const factors = { ...queryFactors, [`${prefix}q_proj.lora_B.weight`]: mul(B, 0) };
  const model = await load(base, { adapter: await adapter(factors) });
  expect(queryWeight(model).data).toEqual(queryWeight({ params }).data);
});

test.each([
  ["rsLoRA: alpha / √r", { use_rslora: true }, 6 / Math.SQRT2],
  ["alpha_pattern matches the end of a module name", { alpha_pattern: { "self_attn.q_proj": 4 } }, 2],
  ["the first matching key of alpha_pattern", { alpha_pattern: { q_proj: 8, "self_attn.q_proj": 4 } }, 4],
  [
    "alpha_pattern does not match within a part of a name",
    { alpha_pattern: { proj: 4, "attn.q_proj": 4 } },
    3,
  ],
  ["rank_pattern replaces r", { r: 7, rank_pattern: { "^model.layers.0.self_attn.q_proj": 2 } }, 3],
])("scale of B A: %s", async (_, fields, scale) => {
  const model = await load(base, { adapter: await adapter(queryFactors, fields) });
  expect(queryWeight(model).data).toBeAllclose(expectedQuery(scale).data, tolerance);
});

test("DoRA scales each row of W + s B A to its learned norm", async () => {
  const norms = randn([8], { seed: 4 });
  const magnitude = { [`${prefix}q_proj.lora_magnitude_vector`]: norms };
  const model = await load(base, {
    adapter: await adapter({ ...queryFactors, ...magnitude }, { use_dora: true }),
  });
  const sum = expectedQuery(3).data;
  const expected = Array.from({ length: 8 }, (_, o) => {
    const row = [...sum.slice(8 * o, 8 * o + 8)];
    const factor = norms.data[o]! / Math.hypot(...row);
    return row.map((x) => factor * x);
  });
  expect(queryWeight(model).data).toBeAllclose(expected.flat(), tolerance);
});

test("embedding matrices, biases and `modules_to_save` are merged too", async () => {
  const [a, b] = [randn([2, 11], { seed: 5 }), randn([8, 2], { seed: 6 })];
  const [bias, head] = [randn([8], { seed: 7 }), randn([11, 8], { seed: 8 })];
  const model = await load(base, {
    adapter: await adapter({
      ...queryFactors,
      [`${prefix}q_proj.lora_B.bias`]: bias,
      "base_model.model.model.embed_tokens.lora_embedding_A": a,
      "base_model.model.model.embed_tokens.lora_embedding_B": b,
      "base_model.model.lm_head.weight": head,
    }),
  });
  expect(model.params.layers[0]!.attention.query.bias!.data).toBeAllclose(mul(bias, 3).data, tolerance);
  const table = add(params.embedding.weight, mul(matmul(transpose(a), transpose(b)), 3));
  expect(model.params.embedding.weight.data).toBeAllclose(table.data, tolerance);
  expect(model.params.output!.weight.data).toEqual(head.data);
});

// PEFT sets `fan_in_fan_out` by the kind of each module of the base and ignores the value in the file.
test.each([true, false, undefined])(
  "matrices that GPT-2 stores as [in, out] are adapted, merged and unmerged, with fan_in_fan_out %s",
  async (fan_in_fan_out) => {
    const out = memoryFolder();
    const gpt = decoder(gpt2);
    const gptParams = { ...gpt.init(1), output: { weight: randn([11, 8], { seed: 9 }) } };
    await exportModel({ config: gpt2, params: gptParams }, { to: "hf", out });
    const factors = (module: string, rows: number, columns: number) => ({
      [`base_model.model.${module}.lora_A.weight`]: randn([2, columns], { seed: rows }),
      [`base_model.model.${module}.lora_B.weight`]: randn([rows, 2], { seed: columns }),
    });
    const tensors = {
      ...factors("transformer.h.0.attn.c_attn", 24, 8),
      ...factors("transformer.h.0.attn.c_proj", 8, 8),
      ...factors("lm_head", 11, 8), // a `Linear`: stored as [out, in]
    };
    const files = await adapter(tensors, { fan_in_fan_out });
    const merged = await load(out.files, { adapter: files });
    const unmerged = await loadAdapter({ config: gpt2, params: gptParams }, files);
    const expectedChange = (module: string) =>
      mul(
        matmul(
          tensors[`base_model.model.${module}.lora_B.weight`]!,
          tensors[`base_model.model.${module}.lora_A.weight`]!,
        ),
        3,
      );
    const fused = expectedChange("transformer.h.0.attn.c_attn");
    for (const { params } of [merged, unmerged.lora.merge(unmerged.adapter)]) {
      const { attention } = params.layers[0]!;
      const before = gptParams.layers[0]!.attention;
      (["query", "key", "value"] as const).forEach((part, i) =>
        expect(attention[part].weight).toBeAllclose(
          add(before[part].weight, slice(fused, 0, 8 * i, 8 * i + 8)),
          tolerance,
        ),
      );
      const output = add(before.output.weight, expectedChange("transformer.h.0.attn.c_proj"));
      expect(attention.output.weight).toBeAllclose(output, tolerance);
      expect(params.output!.weight).toBeAllclose(
        add(gptParams.output.weight, expectedChange("lm_head")),
        tolerance,
      );
    }
  },
);

test("fan_in_fan_out does not transpose a square matrix that is stored as [out, in]", async () => {
  const files = await adapter(queryFactors, { fan_in_fan_out: true });
  expect(queryWeight(await load(base, { adapter: files })).data).toBeAllclose(
    expectedQuery(3).data,
    tolerance,
  );
  const { lora, adapter: adapterParams } = await loadAdapter({ config, params }, files);
  expect(queryWeight(lora.merge(adapterParams)).data).toBeAllclose(expectedQuery(3).data, tolerance);
});

test.each<[string, DecoderConfig, string[]]>([
  ["Llama", config, ["model.norm.weight", "model.layers.0.input_layernorm.weight"]],
  [
    "Gemma, which stores norm weights minus 1",
    { ...config, activation: "geluTanh", embeddingScale: Math.sqrt(8) },
    ["model.norm.weight"],
  ],
  ["GPT-2", gpt2, ["transformer.h.0.ln_1.weight", "transformer.h.0.ln_1.bias", "transformer.ln_f.weight"]],
])("norms in `modules_to_save` of %s give the same logits merged and unmerged", async (_, config, names) => {
  const out = memoryFolder();
  const { init, apply } = decoder(config);
  const baseParams = init(1);
  await exportModel({ config, params: baseParams }, { to: "hf", out });
  const module = config === gpt2 ? "transformer.h.0.attn.c_attn" : "model.layers.0.self_attn.q_proj";
  const rows = config === gpt2 ? 24 : 8;
  const files = await adapter(
    {
      [`base_model.model.${module}.lora_A.weight`]: A,
      [`base_model.model.${module}.lora_B.weight`]: randn([rows, 2], { seed: 3 }),
      ...Object.fromEntries(
        names.map((name, i) => [`base_model.model.${name}`, randn([8], { seed: 20 + i })]),
      ),
    },
    { modules_to_save: ["norm", "input_layernorm", "ln_1", "ln_f"] },
  );
  const merged = await load(out.files, { adapter: files });
  const { lora, adapter: loaded } = await loadAdapter({ config, params: baseParams }, files);
  const expected = merged.apply(merged.params, [3, 1, 4]);
  expect(lora.apply(loaded, [3, 1, 4])).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-5 });
  expect(apply(baseParams, [3, 1, 4])).not.toBeAllclose(expected, { rtol: 0, atol: 1e-2 });
  // Tensors for a file are those that were loaded.
  for (const [i, name] of names.entries())
    expect(lora.tensors(loaded)[`base_model.model.${name}`]!.data).toEqual(randn([8], { seed: 20 + i }).data);
});

// The deltas of an adapter belong to the numbers in the file: Falcon-H1's and MiniMax's are multiplied when they are read,
// and ERNIE's rows are in the order of the interleaved rotary layout, though Llama's names are the same.
test.each<[string, LoraConfig]>(
  [
    ["falcon-h1", "input_layernorm", "final_layernorm"],
    ["minimax", "input_layernorm", "norm"],
    ["ernie4-5", "input_layernorm", "norm"],
    ["opt", "self_attn_layer_norm", "final_layer_norm"],
  ].flatMap(([name, ...modules_to_save]): [string, LoraConfig][] => [
    [name!, { target_modules: "all-linear", modules_to_save }],
    [name!, { target_modules: ["q_proj", "k_proj"], lora_bias: true }],
    [name!, { target_modules: "all-linear", use_dora: true }],
  ]),
)(
  "%s beside an adapter computes what it does with the adapter merged into its file: %o",
  async (name, own) => {
    const path = referenceData.path(`hf/${name}`);
    const model = await load(path);
    const tuned = lora(model, { r: 2, ...own });
    const start = tuned.apply(tuned.init(1), [3, 1, 4]);
    expect(start).toBeAllclose(model.apply(model.params, [3, 1, 4]), { rtol: 1e-5, atol: 1e-5 });
    const random = mapTensors(tuned.init(1), (x, path) => randn(x.shape, { seed: path.length }));
    const folder = memoryFolder();
    await saveAdapter(tuned, random, { out: folder });
    const merged = await load(path, { adapter: folder.files });
    const expected = merged.apply(merged.params, [3, 1, 4]);
    const { lora: again, adapter: loaded } = await loadAdapter(model, folder.files);
    const tolerance = { rtol: 1e-3, atol: 1e-3 };
    expect(again.apply(loaded, [3, 1, 4])).toBeAllclose(expected, tolerance);
    const whole = again.merge(loaded);
    expect(whole.apply(whole.params, [3, 1, 4])).toBeAllclose(expected, tolerance);
    expect(start).not.toBeAllclose(expected, { rtol: 0, atol: 0.1 });
  },
);

test("a GGUF file with multipliers folded into its weights is refused, as it does not state them", async () => {
  const model = await load(referenceData.path("hf/falcon-h1"));
  const out = memoryFolder();
  await exportModel(model, { to: "gguf", out });
  const inGguf = await load(out.files[0]!);
  expect(inGguf.config.checkpoint).toEqual({ modelType: "falcon_h1", factors: "unknown" });
  expect(() => lora(inGguf, { target_modules: ["q_proj"] })).toThrow(
    /^lora: `model` is "a falcon_h1 whose file has multipliers.*\nFix: load the folder of the base/,
  );
});

test("biases that are trained fully, with biases of the factors added to them", async () => {
  const path = referenceData.path("hf/qwen2-window");
  const model = await load(path);
  const tuned = lora(model, { r: 2, target_modules: ["q_proj"], bias: "lora_only", lora_bias: true });
  const random = mapTensors(tuned.init(1), (x, path) => randn(x.shape, { seed: path.length }));
  const folder = memoryFolder();
  await saveAdapter(tuned, random, { out: folder });
  const bias = (params: DecoderParams) => params.layers[0]!.attention.query.bias!;
  const { offset } = random.modules["model/layers/0/self_attn/q_proj"]!;
  const saved = random.saved!["model/layers/0/self_attn/q_proj/bias"]!;
  const expected = add(saved, mul(offset!, 8 / 2));
  expect(bias((await load(path, { adapter: folder.files })).params)).toBeAllclose(expected, tolerance);
  expect(bias(tuned.merge(random).params)).toBeAllclose(expected, tolerance);
});

test.each([
  ["a method other than LoRA", {}, { peft_type: "IA3" }, /adapter_config.json: peft_type` is "IA3"/],
  ["a variant that computes something else", {}, { use_qalora: true }, /use_qalora` is true/],
  ["an unknown field", {}, { twist: 2 }, /adapter_config.json: twist` is 2/],
  ["trainable tokens", {}, { trainable_token_indices: [1] }, /trainable_token_indices` is \[1\]/],
  [
    "a regular expression in rank_pattern",
    {},
    { rank_pattern: { "layers.[01].*": 2 } },
    /rank_pattern: layers/,
  ],
  ["factors of a rank other than r", {}, { r: 3 }, /expected \[out, 3\] and \[3, in\]/],
  ["DoRA without magnitudes", {}, { use_dora: true }, /lora_magnitude_vector` is "no magnitudes"/],
  [
    "a matrix that the base lacks",
    { "base_model.model.model.layers.9.mlp.up_proj.lora_A.weight": A },
    {},
    /"a change of model.layers.9.mlp.up_proj.weight", expected a tensor that model.safetensors has/,
  ],
  [
    "factors of another model",
    { [`${prefix}k_proj.lora_A.weight`]: A, [`${prefix}k_proj.lora_B.weight`]: B },
    {},
    /model.layers.0.self_attn.k_proj.weight` is "a matrix \[4, 8\]", expected \[8, 8\]/,
  ],
  [
    "tensor names without PEFT's prefix",
    { "model.layers.0.mlp.up_proj.weight": A },
    {},
    /begin with base_model.model/,
  ],
  [
    "a module that the base lacks",
    { "base_model.model.score.weight": A },
    {},
    /score.weight` is "a change of score.weight"/,
  ],
])("%s is refused", async (_, tensors, fields, message) => {
  const files = await adapter({ ...queryFactors, ...(tensors as Record<string, Tensor>) }, fields);
  await expect(load(base, { adapter: files })).rejects.toThrow(message);
});

test("an adapter that is not a folder, and a base that is one file, are refused", async () => {
  const files = await adapter(queryFactors);
  await expect(load(base, { adapter: files.slice(1) })).rejects.toThrow(/a folder with adapter_config.json/);
  await expect(load(base, { adapter: files[1]! })).rejects.toThrow(/load: `adapter` is "a file"/);
  await expect(load(new Uint8Array(64), { adapter: files })).rejects.toThrow(/for a model in one file/);
});

// Regression tests: these tensors and fields were once ignored.
test.each<[string, Record<string, Tensor>, object, RegExp]>([
  ["no tensors", {}, {}, /tensors` is /],
  ["lora_B without lora_A", { [`${prefix}q_proj.lora_B.weight`]: B }, {}, /q_proj.lora_B.weight/],
  [
    "an initialization that changes the base",
    queryFactors,
    { init_lora_weights: "pissa_niter_4" },
    /init_lora_weights` is "pissa_niter_4", expected an initialization that leaves the base.*\nFix: convert the adapter with PEFT/,
  ],
])("%s is refused by `load` and by `loadAdapter`", async (_, tensors, fields, message) => {
  const folder = await adapter(tensors, fields);
  await expect(load(base, { adapter: folder })).rejects.toThrow(message);
  await expect(loadAdapter({ config, params }, folder)).rejects.toThrow(message);
});

test("loadAdapter refuses factors of a norm", async () => {
  const files = await adapter({ ...queryFactors, "base_model.model.model.norm.lora_A.weight": A });
  await expect(loadAdapter({ config, params }, files)).rejects.toThrow(
    /"a change of model.norm", expected a matrix that the base has/,
  );
});

test("loadAdapter refuses tensors that the configuration does not enable", async () => {
  for (const [name, shape] of [
    ["magnitude_vector", [8]],
    ["B.bias", [8]],
  ] as const)
    await expect(
      loadAdapter(
        { config, params },
        await adapter({ ...queryFactors, [`${prefix}q_proj.lora_${name}`]: randn(shape, { seed: 1 }) }),
      ),
    ).rejects.toThrow(/an unexpected tensor", expected lora_A and lora_B of each module/);
  for (const init of [true, false, "gaussian", "eva"])
    expect(
      (await loadAdapter({ config, params }, await adapter(queryFactors, { init_lora_weights: init }))).lora
        .modules,
    ).toHaveLength(1);
});
