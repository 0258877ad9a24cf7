// Properties of adapters in training. Adapters, gradients and folders of PEFT are compared in the conformance suite.
import { mapTensors, randn, sizeOf, tensorsOf, valueAndGrad } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import "@qkv/test-support/allclose";
import { describe, expect, test } from "vitest";
import { exportModel } from "../exporting/export-model.js";
import { memoryFolder } from "../exporting/memory-folder.js";
import { load } from "../load.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { decoder, type DecoderParams } from "../models/decoder.js";
import type { Model } from "../models/model.js";
import { quantize } from "../quantization/quantize.js";
import { readCheckpoint, writeCheckpoint } from "../training/checkpoint.js";
import { meanLoss, tokenLoss } from "../training/losses.js";
import { nextTokenBatches } from "../training/next-token-batches.js";
import { train } from "../training/train.js";
import type { AdapterParams, Lora } from "./adaptable.js";
import { loadAdapter } from "./load-adapter.js";
import { lora } from "./lora.js";
import type { LoraConfig } from "./lora-config.js";
import { saveAdapter } from "./save-adapter.js";

const llama: DecoderConfig = {
  ...{ vocabSize: 13, embedDim: 8, hiddenDim: 12, numLayers: 2, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
};
const gpt2: DecoderConfig = {
  ...{ ...llama, numKvHeads: 2, norm: "layer", activation: "geluTanh", gated: false },
  ...{ positions: "learned", bias: { queryKeyValue: true, attentionOutput: true, feedForward: true } },
};
const randomModel = (config: DecoderConfig): Model => {
  const { init, apply } = decoder(config);
  return { config, params: init(1), tokenizer: undefined, apply };
};
const base = randomModel(llama);
const ids = [3, 1, 4, 1, 5];
const tolerance = { rtol: 1e-5, atol: 1e-5 };
const batchAt = nextTokenBatches(
  Array.from({ length: 90 }, (_, i) => (i * i) % 13),
  { batchSize: 2, contextLength: 6, seed: 1 },
);

/** Adapter params in which B is random too, so that the adapter changes the model. */
const randomAdapter = (tuned: Lora, seed = 5): AdapterParams =>
  mapTensors(tuned.init(seed), (x, path) => randn(x.shape, { seed: seed + path.length }).to(x.device));
const savedFiles = async (tuned: Lora, adapter: AdapterParams): Promise<File[]> => {
  const out = memoryFolder();
  await saveAdapter(tuned, adapter, { out });
  return out.files;
};
const logitsMergedByLoad = async (model: Model, files: File[]) => {
  const out = memoryFolder();
  await exportModel(model, { to: "hf", out });
  const merged = await load(out.files, { adapter: files });
  return merged.apply(merged.params, ids).data;
};

const adapters: [string, DecoderConfig, LoraConfig][] = [
  ["queries and values", llama, { r: 2, lora_alpha: 6, target_modules: ["q_proj", "v_proj"] }],
  ["all linear layers, rsLoRA", llama, { r: 3, target_modules: "all-linear", use_rslora: true }],
  ["DoRA", llama, { r: 2, target_modules: ["o_proj", "up_proj"], use_dora: true }],
  ["biases of B", llama, { r: 2, target_modules: ["down_proj"], lora_bias: true }],
  [
    "interleaved rotary layout",
    { ...llama, ropeLayout: "interleaved" },
    { target_modules: ["q_proj", "k_proj"] },
  ],
  [
    "fused projections, stored as [in, out]",
    gpt2,
    { r: 2, target_modules: ["c_attn", "c_proj"], bias: "lora_only" },
  ],
  [
    "norms in modules_to_save, stored minus 1",
    { ...llama, activation: "geluTanh", embeddingScale: Math.sqrt(8) },
    { target_modules: ["q_proj"], modules_to_save: ["norm", "input_layernorm"] },
  ],
  [
    "an embedding matrix, and a projection in modules_to_save",
    llama,
    { target_modules: ["embed_tokens"], modules_to_save: ["v_proj"] },
  ],
];

describe.each(adapters)("%s", (_, config, settings) => {
  const model = randomModel(config);
  const tuned = lora(model, settings);

  test("a new adapter does not change the logits", () => {
    const before = model.apply(model.params, ids).data;
    expect(tuned.apply(tuned.init(1), ids).data).toBeAllclose(before, { rtol: 1e-6, atol: 1e-6 });
  });

  test("logits are the same unmerged, merged, and merged by `load`", async () => {
    const adapter = randomAdapter(tuned);
    const unmerged = tuned.apply(adapter, ids).data;
    expect(unmerged).not.toBeAllclose(model.apply(model.params, ids).data, { rtol: 0, atol: 1e-2 });
    const merged = tuned.merge(adapter);
    expect(merged.apply(merged.params, ids).data).toBeAllclose(unmerged, tolerance);
    expect(await logitsMergedByLoad(model, await savedFiles(tuned, adapter))).toBeAllclose(
      unmerged,
      tolerance,
    );
  });

  test("saving and loading preserves the tensors and the configuration of an adapter", async () => {
    const adapter = randomAdapter(tuned);
    const loaded = await loadAdapter(model, await savedFiles(tuned, adapter));
    expect(loaded.lora.modules).toEqual(tuned.modules);
    const [before, after] = [tuned.tensors(adapter), loaded.lora.tensors(loaded.adapter)];
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort());
    for (const [name, x] of Object.entries(before)) expect([name, after[name]!.data]).toEqual([name, x.data]);
    expect(loaded.lora.config).toEqual(tuned.config);
  });

  test("gradients equal central differences", () => {
    const adapter = randomAdapter(tuned);
    const loss = tokenLoss(tuned);
    const [, gradient] = valueAndGrad((params: AdapterParams) => loss(params, batchAt(0)))(adapter);
    const gradients = tensorsOf(gradient);
    const isConstant = settings.use_dora === true; // the lengths of rows are constants of the gradient
    tensorsOf(adapter).forEach((x, i) => {
      const at = sizeOf(x.shape) - 1;
      const lossShifted = (by: number) => {
        x.data[at]! += by;
        const value = loss(adapter, batchAt(0)).data[0]!;
        x.data[at]! -= by;
        return value;
      };
      const difference = (lossShifted(1e-2) - lossShifted(-1e-2)) / 2e-2;
      if (!isConstant) expect(gradients[i]!.data[at]!).toBeCloseTo(difference, 2);
      expect(Number.isFinite(gradients[i]!.data[at]!)).toBe(true);
    });
  });
});

test.each([undefined, "int8", "int4"] as const)(
  "training an adapter of a base in %s lowers the loss, leaves the base unchanged and has optimizer state for A and B only",
  async (kind) => {
    const model = kind ? quantize(base, { kind }).model : base;
    const before = tensorsOf(model.params).map(({ data }) => data.slice());
    const tuned = lora(model, { r: 2, lora_alpha: 8, target_modules: "all-linear" });
    const adapter = tuned.init(3);
    expect(tuned.apply(adapter, ids).data).toBeAllclose(model.apply(model.params, ids).data, tolerance);
    const losses: number[] = [];
    const run = train({
      params: adapter,
      loss: tokenLoss(tuned),
      optimizer: adamW({ learningRate: 0.03 }),
      batchAt: () => batchAt(0),
      steps: 30,
    });
    for await (const { loss, state } of run) {
      losses.push(loss);
      expect(tensorsOf(state.moments).length).toBe(2 * tensorsOf(adapter).length);
    }
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.1);
    expect(tensorsOf(model.params).map(({ data }) => data)).toEqual(before);
  },
);

test("the optimizer state of an adapter has less than 5 % of the elements of the model's", () => {
  const sizes = { vocabSize: 512, embedDim: 128, hiddenDim: 344, numLayers: 4, numHeads: 4, numKvHeads: 4 };
  const model = randomModel({ ...llama, ...sizes });
  const optimizer = adamW();
  const count = (params: unknown) =>
    tensorsOf(optimizer.init(params).moments).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const tuned = lora(model, { r: 8, target_modules: ["q_proj", "v_proj"] });
  // 4 layers · 2 matrices · 2 factors of [8, 128], each with 2 moments.
  expect(count(tuned.init(1))).toBe(4 * 2 * 2 * 8 * 128 * 2);
  expect(count(tuned.init(1)) / count(model.params)).toBeLessThan(0.05);
});

describe("dropout", () => {
  const tuned = lora(base, { r: 2, target_modules: ["q_proj", "up_proj"], lora_dropout: 0.5 });
  const adapter = randomAdapter(tuned);
  const logits = (dropoutSeed?: number) =>
    tuned.apply(adapter, ids, dropoutSeed === undefined ? {} : { dropoutSeed }).data;

  test("is off without a seed; logits depend on the seed alone", () => {
    const withoutDropout = lora(base, { r: 2, target_modules: ["q_proj", "up_proj"] });
    expect(logits()).toEqual(withoutDropout.apply(adapter, ids).data);
    expect(logits(7)).toEqual(logits(7));
    expect(logits(7)).not.toEqual(logits(8));
    expect(logits(7)).not.toEqual(logits());
  });

  test("a run resumed from a checkpoint gives the same params, bit for bit", async () => {
    const loss = tokenLoss(tuned, { dropoutSeed: 9 });
    const optimizer = adamW({ learningRate: 0.01 });
    const fresh = () => ({ params: tuned.init(2), loss, optimizer, batchAt, accumulate: 2 });
    const uninterrupted = fresh();
    for await (const { step } of train({ ...uninterrupted, steps: 4 })) void step;
    const resumed = fresh();
    let bytes = new Uint8Array();
    for await (const { params, state } of train({ ...resumed, steps: 2 }))
      bytes = (await writeCheckpoint({ params, state, notes: null })) as typeof bytes;
    const { params, state } = await readCheckpoint<AdapterParams>(bytes);
    for await (const { step } of train({ ...resumed, params, state, steps: 4 })) void step;
    expect(tensorsOf(params).map(({ data }) => data)).toEqual(
      tensorsOf(uninterrupted.params).map(({ data }) => data),
    );
    // Evaluation applies no dropout.
    expect(await meanLoss(loss, params, [batchAt(0)])).toBe(
      await meanLoss(tokenLoss(tuned), params, [batchAt(0)]),
    );
  });
});

test("each call applies the adapter that it is given, and `model(adapter)` shares the base", () => {
  const tuned = lora(base, { r: 2, target_modules: ["q_proj"] });
  const other = lora(base, { r: 4, target_modules: ["v_proj", "down_proj"] });
  const [first, second, third] = [randomAdapter(tuned, 1), randomAdapter(tuned, 2), randomAdapter(other, 3)];
  const before = base.apply(base.params, ids).data.slice();
  const outputs = [tuned.apply(first, ids), tuned.apply(second, ids), other.apply(third, ids)];
  expect(new Set(outputs.map(({ data }) => data.join())).size).toBe(3);
  const model = tuned.model(second);
  expect(model.apply(model.params, ids).data).toEqual(outputs[1]!.data);
  expect(model.params.embedding).toBe(base.params.embedding);
  expect(base.apply(base.params, ids).data).toEqual(before);
});

test.each<[string, LoraConfig, readonly string[]]>([
  ["suffixes of names", { target_modules: ["q_proj"] }, ["0.self_attn.q_proj", "1.self_attn.q_proj"]],
  ["longer suffixes", { target_modules: ["1.self_attn.q_proj"] }, ["1.self_attn.q_proj"]],
  [
    "a regular expression for whole names",
    { target_modules: String.raw`.*\.[01]\.mlp\.up_proj` },
    ["0.mlp.up_proj", "1.mlp.up_proj"],
  ],
  [
    "layers_to_transform",
    { target_modules: ["v_proj", "k_proj"], layers_to_transform: 1 },
    ["1.self_attn.k_proj", "1.self_attn.v_proj"],
  ],
  [
    "target_modules without exclude_modules",
    {
      target_modules: ["q_proj", "v_proj"],
      exclude_modules: ["1.self_attn.q_proj"],
      layers_pattern: "layers",
    },
    ["0.self_attn.q_proj", "0.self_attn.v_proj", "1.self_attn.v_proj"],
  ],
])("modules are chosen by %s", (_, config, ends) => {
  expect([...lora(base, config).modules].sort()).toEqual(ends.map((end) => `model.layers.${end}`).sort());
});

test('"all-linear" adapts the matrices of layers, but neither the embedding nor the output matrix', () => {
  const model: Model = {
    ...base,
    params: { ...base.params, output: { weight: randn([13, 8], { seed: 3 }) } } as DecoderParams,
  };
  const tuned = lora(model, { target_modules: "all-linear" });
  expect(tuned.modules.length).toBe(2 * 7);
  expect(lora(model, { target_modules: ["lm_head"] }).modules).toEqual(["lm_head"]);
});

test("rank_pattern sets the rank of the modules that it names", () => {
  const tuned = lora(base, {
    ...{ r: 2, lora_alpha: 2, target_modules: ["q_proj", "k_proj"] },
    rank_pattern: { "1.self_attn.q_proj": 5 },
  });
  const { modules } = tuned.init(1);
  const ranks = Object.values(modules).map(({ a }) => a.shape[0]);
  expect(ranks.sort()).toEqual([2, 2, 2, 5]);
});

test.each<[string, unknown, RegExp]>([
  [
    "a name that no module has",
    { target_modules: ["c_attn"] },
    /lora: `config.target_modules` is "c_attn", expected names .* such as embed_tokens, q_proj/,
  ],
  [
    "a name that no module has, next to a valid one",
    { target_modules: ["q_proj", "v_porj"] },
    /lora: `config.target_modules` is "v_porj", .*v_proj/,
  ],
  [
    "a regular expression that matches no module",
    { target_modules: "q_proj" },
    /`config.target_modules` is "q_proj", .*\nFix: give suffixes of names in a list/,
  ],
  [
    "an exclusion that matches no module",
    { target_modules: ["q_proj"], exclude_modules: ["layers.9"] },
    /`config.exclude_modules` is "layers.9"/,
  ],
  [
    "a rank of a module that is not adapted",
    { target_modules: ["q_proj"], rank_pattern: { v_proj: 4 } },
    /`config.rank_pattern` is "v_proj", expected .* q_proj/,
  ],
  [
    "a layer that the model lacks",
    { target_modules: ["q_proj"], layers_to_transform: [1, 2] },
    /`config.layers_to_transform` is 2, expected .* at most 1/,
  ],
  ["a norm", { target_modules: ["norm"] }, /`config.target_modules` is "norm"/],
  ["no modules", {}, /`config.target_modules` is undefined.*\nFix: write `target_modules: \["q_proj"/],
  ["an unknown option", { target_modules: ["q_proj"], rank: 4 }, /lora: `rank` is 4/],
  ["rank 0", { target_modules: ["q_proj"], r: 0 }, /config: r` is 0/],
  [
    "a name in modules_to_save that no module has",
    { target_modules: ["q_proj"], modules_to_save: ["score"] },
    /modules_to_save` is "score"/,
  ],
  [
    "target_modules with an unclosed bracket",
    { target_modules: ".*(q_proj" },
    /lora: `config.target_modules` is "\.\*\(q_proj", expected a regular expression/,
  ],
  [
    "exclude_modules with an unclosed bracket",
    { target_modules: ["q_proj"], exclude_modules: "(" },
    /lora: `config.exclude_modules` is "\("/,
  ],
  [
    "layers_pattern with an unclosed bracket",
    { target_modules: ["q_proj"], layers_pattern: ["["] },
    /lora: `config.layers_pattern` is "\["/,
  ],
  [
    "a fractional rank",
    { target_modules: ["q_proj"], rank_pattern: { q_proj: 1.5 } },
    /rank_pattern: q_proj` is 1.5/,
  ],
  ['bias "all"', { target_modules: ["q_proj"], bias: "all" }, /`config.bias` is "all"/],
  [
    "lora_bias that is not a boolean",
    { target_modules: ["q_proj"], lora_bias: "yes" },
    /lora_bias` is "yes", expected a boolean/,
  ],
  ["dropout probability 1", { target_modules: ["q_proj"], lora_dropout: 1 }, /lora_dropout` is 1/],
  ["DoRA of an embedding matrix", { target_modules: ["embed_tokens"], use_dora: true }, /use_dora` is true/],
])("%s is refused", (_, config, message) => {
  expect(() => lora(base, config as LoraConfig)).toThrow(message);
});

test("a value that is not a model, params of another adapter, and adapters of another model are refused", async () => {
  expect(() => lora({} as Model, { target_modules: ["q_proj"] })).toThrow(/lora: `model` is/);
  const tuned = lora(base, { target_modules: ["q_proj"] });
  const other = lora(base, { target_modules: ["v_proj"] }).init(1);
  expect(() => tuned.apply(other, ids)).toThrow(
    /the params of an adapter, with those of model.layers.0.self_attn.q_proj/,
  );
  const files = await savedFiles(tuned, tuned.init(1));
  const wide = randomModel({ ...llama, embedDim: 16 });
  await expect(loadAdapter(wide, files)).rejects.toThrow(
    /lora_A.weight` is "a tensor \[8, 8\]", expected \[8, 16\]/,
  );
  await expect(loadAdapter(randomModel(gpt2), files)).rejects.toThrow(/a matrix that the base has/);
  // A rank of the configuration allocates nothing that the file does not hold.
  for (const fields of [{ r: 1e8 }, { rank_pattern: { q_proj: 1e8 } }]) {
    const [json, weights] = files[0]!.name.endsWith(".json") ? files : [files[1]!, files[0]!];
    const config = { ...(JSON.parse(await json!.text()) as object), ...fields };
    const changed = [new File([JSON.stringify(config)], json!.name), weights!];
    await expect(loadAdapter(base, changed)).rejects.toThrow(
      /lora_A\.weight` is "a tensor \[\d+, \d+\]", expected the rank of adapter_config\.json, \[100000000, in\]/,
    );
  }
  await expect(loadAdapter(base, 3 as never)).rejects.toThrow(/loadAdapter: `source` is 3/);
});
