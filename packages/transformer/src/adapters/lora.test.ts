// Laws of adapters that are trained; PEFT's own adapters, gradients and folders are a family of the conformance suite.
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
const made = (config: DecoderConfig): Model => {
  const { init, apply } = decoder(config);
  return { config, params: init(1), tokenizer: undefined, apply };
};
const base = made(llama);
const ids = [3, 1, 4, 1, 5];
const near = { rtol: 1e-5, atol: 1e-5 };
const batchAt = nextTokenBatches(
  Array.from({ length: 90 }, (_, i) => (i * i) % 13),
  { batchSize: 2, contextLength: 6, seed: 1 },
);

/** An adapter of random numbers, none of them 0. */
const random = (tuned: Lora, seed = 5): AdapterParams =>
  mapTensors(tuned.init(seed), (x, path) => randn(x.shape, { seed: seed + path.length }).to(x.device));
const saved = async (tuned: Lora, adapter: AdapterParams): Promise<File[]> => {
  const out = memoryFolder();
  await saveAdapter(tuned, adapter, { out });
  return out.files;
};
const merged = async (model: Model, files: File[]) => {
  const out = memoryFolder();
  await exportModel(model, { to: "hf", out });
  const whole = await load(out.files, { adapter: files });
  return whole.apply(whole.params, ids).data;
};

const kinds: [string, DecoderConfig, LoraConfig][] = [
  ["queries and values", llama, { r: 2, lora_alpha: 6, target_modules: ["q_proj", "v_proj"] }],
  ["all linear maps, rsLoRA", llama, { r: 3, target_modules: "all-linear", use_rslora: true }],
  ["DoRA", llama, { r: 2, target_modules: ["o_proj", "up_proj"], use_dora: true }],
  ["biases of changes", llama, { r: 2, target_modules: ["down_proj"], lora_bias: true }],
  [
    "rotary pairs of neighbours",
    { ...llama, ropeLayout: "interleaved" },
    { target_modules: ["q_proj", "k_proj"] },
  ],
  [
    "fused maps, stored as [in, out]",
    gpt2,
    { r: 2, target_modules: ["c_attn", "c_proj"], bias: "lora_only" },
  ],
  [
    "norms that are trained whole, and stored as their difference from 1",
    { ...llama, activation: "geluTanh", embeddingScale: Math.sqrt(8) },
    { target_modules: ["q_proj"], modules_to_save: ["norm", "input_layernorm"] },
  ],
  [
    "a table, and a map that is trained whole",
    llama,
    { target_modules: ["embed_tokens"], modules_to_save: ["v_proj"] },
  ],
];

describe.each(kinds)("%s", (_, config, settings) => {
  const model = made(config);
  const tuned = lora(model, settings);

  test("an adapter that was not trained changes nothing", () => {
    const before = model.apply(model.params, ids).data;
    expect(tuned.apply(tuned.init(1), ids).data).toBeAllclose(before, { rtol: 1e-6, atol: 1e-6 });
  });

  test("beside the base, merged, and merged by `load` it gives the same logits", async () => {
    const adapter = random(tuned);
    const beside = tuned.apply(adapter, ids).data;
    expect(beside).not.toBeAllclose(model.apply(model.params, ids).data, { rtol: 0, atol: 1e-2 });
    const whole = tuned.merge(adapter);
    expect(whole.apply(whole.params, ids).data).toBeAllclose(beside, near);
    expect(await merged(model, await saved(tuned, adapter))).toBeAllclose(beside, near);
  });

  test("saved and loaded it is the same adapter, tensor by tensor, and its configuration stays", async () => {
    const adapter = random(tuned);
    const again = await loadAdapter(model, await saved(tuned, adapter));
    expect(again.lora.modules).toEqual(tuned.modules);
    const [ours, theirs] = [tuned.tensors(adapter), again.lora.tensors(again.adapter)];
    expect(Object.keys(theirs).sort()).toEqual(Object.keys(ours).sort());
    for (const [name, x] of Object.entries(ours)) expect([name, theirs[name]!.data]).toEqual([name, x.data]);
    expect(again.lora.config).toEqual(tuned.config);
  });

  test("gradients are those of central differences", () => {
    const adapter = random(tuned);
    const loss = tokenLoss(tuned);
    const [, gradient] = valueAndGrad((params: AdapterParams) => loss(params, batchAt(0)))(adapter);
    const slopes = tensorsOf(gradient);
    const isConstant = settings.use_dora === true; // the lengths of rows are constants of the gradient
    tensorsOf(adapter).forEach((x, i) => {
      const at = sizeOf(x.shape) - 1;
      const moved = (by: number) => {
        x.data[at]! += by;
        const value = loss(adapter, batchAt(0)).data[0]!;
        x.data[at]! -= by;
        return value;
      };
      const difference = (moved(1e-2) - moved(-1e-2)) / 2e-2;
      if (!isConstant) expect(slopes[i]!.data[at]!).toBeCloseTo(difference, 2);
      expect(Number.isFinite(slopes[i]!.data[at]!)).toBe(true);
    });
  });
});

test.each([undefined, "int8", "int4"] as const)(
  "the loss falls, the base of %s stays, and only A and B have state",
  async (kind) => {
    const model = kind ? quantize(base, { kind }).model : base;
    const before = tensorsOf(model.params).map(({ data }) => data.slice());
    const tuned = lora(model, { r: 2, lora_alpha: 8, target_modules: "all-linear" });
    const adapter = tuned.init(3);
    expect(tuned.apply(adapter, ids).data).toBeAllclose(model.apply(model.params, ids).data, near);
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

test("the state of an optimizer is a twentieth of the whole model's, and less", () => {
  const sizes = { vocabSize: 512, embedDim: 128, hiddenDim: 344, numLayers: 4, numHeads: 4, numKvHeads: 4 };
  const model = made({ ...llama, ...sizes });
  const optimizer = adamW();
  const count = (params: unknown) =>
    tensorsOf(optimizer.init(params).moments).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const tuned = lora(model, { r: 8, target_modules: ["q_proj", "v_proj"] });
  // Four layers with two factors of two matrices, and two means of each.
  expect(count(tuned.init(1))).toBe(4 * 2 * 2 * 8 * 128 * 2);
  expect(count(tuned.init(1)) / count(model.params)).toBeLessThan(0.05);
});

describe("dropout", () => {
  const tuned = lora(base, { r: 2, target_modules: ["q_proj", "up_proj"], lora_dropout: 0.5 });
  const adapter = random(tuned);
  const logits = (dropoutSeed?: number) =>
    tuned.apply(adapter, ids, dropoutSeed === undefined ? {} : { dropoutSeed }).data;

  test("is off without a seed; the same seed gives the same numbers, and another one others", () => {
    const whole = lora(base, { r: 2, target_modules: ["q_proj", "up_proj"] });
    expect(logits()).toEqual(whole.apply(adapter, ids).data);
    expect(logits(7)).toEqual(logits(7));
    expect(logits(7)).not.toEqual(logits(8));
    expect(logits(7)).not.toEqual(logits());
  });

  test("a run that is continued from its checkpoint gives the same numbers, bit for bit", async () => {
    const loss = tokenLoss(tuned, { dropoutSeed: 9 });
    const optimizer = adamW({ learningRate: 0.01 });
    const fresh = () => ({ params: tuned.init(2), loss, optimizer, batchAt, accumulate: 2 });
    const once = fresh();
    for await (const { step } of train({ ...once, steps: 4 })) void step;
    const first = fresh();
    let bytes = new Uint8Array();
    for await (const { params, state } of train({ ...first, steps: 2 }))
      bytes = (await writeCheckpoint({ params, state, notes: null })) as typeof bytes;
    const { params, state } = await readCheckpoint<AdapterParams>(bytes);
    for await (const { step } of train({ ...first, params, state, steps: 4 })) void step;
    expect(tensorsOf(params).map(({ data }) => data)).toEqual(tensorsOf(once.params).map(({ data }) => data));
    // Evaluation drops nothing.
    expect(await meanLoss(loss, params, [batchAt(0)])).toBe(
      await meanLoss(tokenLoss(tuned), params, [batchAt(0)]),
    );
  });
});

test("two adapters of one base: a call goes through the one that it names, and a model generates with it", () => {
  const tuned = lora(base, { r: 2, target_modules: ["q_proj"] });
  const other = lora(base, { r: 4, target_modules: ["v_proj", "down_proj"] });
  const [first, second, third] = [random(tuned, 1), random(tuned, 2), random(other, 3)];
  const before = base.apply(base.params, ids).data.slice();
  const outputs = [tuned.apply(first, ids), tuned.apply(second, ids), other.apply(third, ids)];
  expect(new Set(outputs.map(({ data }) => data.join())).size).toBe(3);
  const model = tuned.model(second);
  expect(model.apply(model.params, ids).data).toEqual(outputs[1]!.data);
  expect(model.params.embedding).toBe(base.params.embedding);
  expect(base.apply(base.params, ids).data).toEqual(before);
});

test.each<[string, LoraConfig, readonly string[]]>([
  ["ends of names", { target_modules: ["q_proj"] }, ["0.self_attn.q_proj", "1.self_attn.q_proj"]],
  ["longer ends", { target_modules: ["1.self_attn.q_proj"] }, ["1.self_attn.q_proj"]],
  [
    "an expression of whole names",
    { target_modules: String.raw`.*\.[01]\.mlp\.up_proj` },
    ["0.mlp.up_proj", "1.mlp.up_proj"],
  ],
  [
    "layers",
    { target_modules: ["v_proj", "k_proj"], layers_to_transform: 1 },
    ["1.self_attn.k_proj", "1.self_attn.v_proj"],
  ],
  [
    "but for some",
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

test("all linear maps are those of layers: no table, and no output map", () => {
  const model: Model = {
    ...base,
    params: { ...base.params, output: { weight: randn([13, 8], { seed: 3 }) } } as DecoderParams,
  };
  const tuned = lora(model, { target_modules: "all-linear" });
  expect(tuned.modules.length).toBe(2 * 7);
  expect(lora(model, { target_modules: ["lm_head"] }).modules).toEqual(["lm_head"]);
});

test("ranks and factors by patterns, as PEFT looks them up", () => {
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
    "no module of a name",
    { target_modules: ["c_attn"] },
    /lora: `config.target_modules` is "c_attn", expected names .* such as embed_tokens, q_proj/,
  ],
  [
    "a name that no module has beside one that has",
    { target_modules: ["q_proj", "v_porj"] },
    /lora: `config.target_modules` is "v_porj", .*v_proj/,
  ],
  [
    "an expression that finds none",
    { target_modules: "q_proj" },
    /`config.target_modules` is "q_proj", .*\nFix: give ends of names in a list/,
  ],
  [
    "an exclusion of none",
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
  ["another option", { target_modules: ["q_proj"], rank: 4 }, /lora: `rank` is 4/],
  ["a rank of none", { target_modules: ["q_proj"], r: 0 }, /config: r` is 0/],
  [
    "a saved module of no name",
    { target_modules: ["q_proj"], modules_to_save: ["score"] },
    /modules_to_save` is "score"/,
  ],
  [
    "an open bracket",
    { target_modules: ".*(q_proj" },
    /lora: `config.target_modules` is "\.\*\(q_proj", expected a regular expression/,
  ],
  ["another", { target_modules: ["q_proj"], exclude_modules: "(" }, /lora: `config.exclude_modules` is "\("/],
  ["a third", { target_modules: ["q_proj"], layers_pattern: ["["] }, /lora: `config.layers_pattern` is "\["/],
  [
    "part of a rank",
    { target_modules: ["q_proj"], rank_pattern: { q_proj: 1.5 } },
    /rank_pattern: q_proj` is 1.5/,
  ],
  ["all biases", { target_modules: ["q_proj"], bias: "all" }, /`config.bias` is "all"/],
  [
    "a bias in words",
    { target_modules: ["q_proj"], lora_bias: "yes" },
    /lora_bias` is "yes", expected a boolean/,
  ],
  ["dropout of all", { target_modules: ["q_proj"], lora_dropout: 1 }, /lora_dropout` is 1/],
  ["DoRA of a table", { target_modules: ["embed_tokens"], use_dora: true }, /use_dora` is true/],
])("%s is refused", (_, config, message) => {
  expect(() => lora(base, config as LoraConfig)).toThrow(message);
});

test("what is no model, and params of another adapter, are refused", async () => {
  expect(() => lora({} as Model, { target_modules: ["q_proj"] })).toThrow(/lora: `model` is/);
  const tuned = lora(base, { target_modules: ["q_proj"] });
  const other = lora(base, { target_modules: ["v_proj"] }).init(1);
  expect(() => tuned.apply(other, ids)).toThrow(
    /the params of an adapter, with those of model.layers.0.self_attn.q_proj/,
  );
  const files = await saved(tuned, tuned.init(1));
  const wide = made({ ...llama, embedDim: 16 });
  await expect(loadAdapter(wide, files)).rejects.toThrow(
    /lora_A.weight` is "a tensor \[8, 8\]", expected \[8, 16\]/,
  );
  await expect(loadAdapter(made(gpt2), files)).rejects.toThrow(/a matrix that the base has/);
  await expect(loadAdapter(base, 3 as never)).rejects.toThrow(/loadAdapter: `source` is 3/);
});
