// Stacks in which some layers attend and others hold a state.
import {
  gatedDeltaRule,
  hgrn,
  latent,
  causal,
  mixerLayer,
  shortConvolution,
  ssd,
  tttLinear,
  type MixerLayer,
} from "@qkv/attention";
import { growingCache, prefixCache, stateCache } from "@qkv/kv-cache";
import { silu, slice, type Tensor } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { describe, expect, test } from "vitest";
import { cacheFor } from "../generation/cache-for.js";
import { generateBatch } from "../generation/generate-batch.js";
import { generate } from "../generation/generate.js";
import { memoryFolder } from "../exporting/memory-folder.js";
import { exportModel } from "../exporting/export-model.js";
import { quantize } from "../quantization/quantize.js";
import { readCheckpoint, writeCheckpoint } from "../training/checkpoint.js";
import { tokenLoss } from "../training/losses.js";
import { nextTokenBatches } from "../training/next-token-batches.js";
import { trainStep } from "../training/train-step.js";
import type { DecoderConfig, LayerType } from "./decoder-config.js";
import { decoder, type DecoderParams } from "./decoder.js";

const sizes = { embedDim: 16, numHeads: 2 };
const gdn = mixerLayer({ ...sizes, mixer: gatedDeltaRule(), convolution: 4, outputGate: silu });
const conv = mixerLayer({ ...sizes, mixer: shortConvolution(), axes: { N: 3 }, outputNorm: "none" });
const mamba2 = mixerLayer({ ...sizes, mixer: ssd(), numKeyHeads: 1, convolution: 4, outputGate: silu });
const elementwise = mixerLayer({ ...sizes, numHeads: 16, mixer: hgrn() });

const ttt = mixerLayer({ ...sizes, mixer: tttLinear({ miniBatchSize: 4 }) });

const base = {
  ...{ ...sizes, vocabSize: 11, hiddenDim: 24, numKvHeads: 1, contextLength: 32, normEps: 1e-5 },
  stopIds: [],
};
const configWith = (layerTypes: readonly LayerType[]): DecoderConfig => ({
  ...base,
  numLayers: layerTypes.length,
  layerTypes,
  window: 4,
});
const modelWith = (layerTypes: readonly LayerType[], seed = 1) => {
  const { config, init, apply } = decoder(configWith(layerTypes));
  return { config, params: init(seed), apply, tokenizer: undefined };
};
const ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];
const hybrid = [gdn, gdn, gdn, "full"] as const;

function expectClose(ours: Tensor, theirs: Tensor, digits = 4): void {
  expect(ours.shape).toEqual(theirs.shape);
  ours.data.forEach((x, i) => {
    expect(x).toBeCloseTo(theirs.data[i]!, digits);
  });
}

const stacks: Record<string, readonly LayerType[]> = {
  "gated delta rule and full attention": hybrid,
  "short convolutions and full attention": [conv, conv, "full"],
  "state space model and sliding window": [mamba2, "sliding", mamba2],
  "gated delta rule and HGRN": [gdn, elementwise],
  "test-time training and full attention": [ttt, "full"],
};

describe.each(Object.entries(stacks))("%s", (_, layerTypes) => {
  const { config, params, apply } = modelWith(layerTypes);

  test("logits token by token with a cache equal those of the whole prompt", () => {
    const fullLogits = apply(params, ids);
    const cache = cacheFor(config);
    ids.forEach((id, t) => {
      expectClose(apply(params, [id], { cache }), slice(fullLogits, 1, t, t + 1));
    });
    expect(cache.length).toBe(ids.length);
    expect(cache.numLayers).toBe(layerTypes.length);
  });

  test("a cropped, forked or restored cache gives the same next logits", () => {
    const cache = cacheFor(config);
    apply(params, ids.slice(0, 5), { cache });
    const fork = cache.fork();
    const file = cache.save();
    const next = () => apply(params, [7], { cache });
    const first = next();
    cache.crop(5);
    expect(next().data).toEqual(first.data);
    expect(apply(params, [7], { cache: fork }).data).toEqual(first.data);
    const restored = cacheFor(config);
    restored.restore(file);
    expect(apply(params, [7], { cache: restored }).data).toEqual(first.data);
  });

  test("logits of packed documents equal those of each document alone", () => {
    const packed = apply(params, ids, { documents: ids.map((_, t) => (t < 4 ? 0 : t < 5 ? 1 : 2)) });
    for (const [from, to] of [
      [0, 4],
      [4, 5],
      [5, 10],
    ] as const) {
      expectClose(slice(packed, 1, from, to), apply(params, ids.slice(from, to)));
    }
  });

  test("samples of a batch of different lengths equal those of each prompt alone", async () => {
    const model = { config, params, apply, tokenizer: undefined };
    const prompts = [ids, ids.slice(0, 2), ids.slice(2, 8)];
    const options = { maxTokens: 4, sampling: { temperature: 1, seed: 5 } };
    const together: number[][] = prompts.map(() => []);
    for await (const { id, prompt } of generateBatch(model, prompts, options)) together[prompt]!.push(id);
    for (const [i, prompt] of prompts.entries()) {
      const alone: number[] = [];
      for await (const { id } of generate(model, prompt, options)) alone.push(id);
      expect(together[i]).toEqual(alone);
    }
  });
});

test("training a hybrid stack lowers the loss, and its checkpoint gives the same logits", async () => {
  const model = modelWith(hybrid);
  const text = Array.from({ length: 200 }, (_, t) => [3, 1, 4, 1, 5, 9, 2, 6][t % 8]!);
  const batches = nextTokenBatches(text, { batchSize: 2, contextLength: 16, seed: 1 });
  const optimizer = adamW({ learningRate: 1e-2 });
  const step = trainStep({ loss: tokenLoss<DecoderParams>(model), optimizer });
  const state = optimizer.init(model.params);
  const losses = Array.from({ length: 60 }, (_, n) => step(model.params, state, [batches(n)]).data[0]!);
  expect(losses[0]).toBeGreaterThan(2);
  expect(losses.at(-1)).toBeLessThan(0.5);
  const bytes = await writeCheckpoint({ params: model.params, state, notes: null });
  const { params } = await readCheckpoint<DecoderParams>(bytes);
  expect(model.apply(params, ids).data).toEqual(model.apply(model.params, ids).data);
});

test("the bytes of cached states do not depend on the length", () => {
  const { config, params, apply } = modelWith(hybrid);
  const bytes = (tokens: number) => {
    const cache = cacheFor(config);
    apply(params, ids.slice(0, tokens), { cache });
    return [0, 1, 2].map((layer) =>
      Object.values(cache.state(layer)!).reduce((sum, { data }) => sum + data.byteLength, 0),
    );
  };
  // States [2, 8, 8] and three tokens of 3 · 16 channels, whatever the length.
  expect(bytes(1)).toEqual([1088, 1088, 1088]);
  expect(bytes(10)).toEqual(bytes(1));
});

test("quantize rounds matrices of mixers, and refuses a mixer without `withLinear`", () => {
  const model = modelWith(hybrid);
  const { model: rounded, report } = quantize(model);
  expect(report.errors["layers.0.attention.decay.weight"]).toBeGreaterThan(0);
  const exact = model.apply(model.params, ids).data;
  const largestError = Math.max(
    ...Array.from(rounded.apply(rounded.params, ids).data, (x, i) => Math.abs(x - exact[i]!)),
  );
  expect(largestError).toBeLessThan(0.05);
  const { withLinear: _none, ...bare } = gdn;
  expect(() => quantize(modelWith([bare, "full"]))).toThrow(/`kernels.linear`.*has no `withLinear`/s);
});

test("traces have weights of attention layers, and heads of all layers", () => {
  const { params, apply } = modelWith([gdn, "full"]);
  const trace = (names: string[]) => {
    const tensors: Record<string, Tensor> = {};
    apply(params, ids, { trace: { names: names as [], tensors } });
    return Object.keys(tensors);
  };
  expect(trace(["weights", "heads"])).toEqual([
    "layers.0.attention.heads",
    "layers.1.attention.weights",
    "layers.1.attention.heads",
  ]);
  expect(() => trace(["layers.0.attention.weights"])).toThrow(
    /`trace.names` is "layers.0.attention.weights"/,
  );
});

test("layerTypes accepts any sequence layer, such as latent attention", () => {
  const mla = latent({
    ...{ ...sizes, kvRank: 8, nopeDim: 4, ropeDim: 2, valueDim: 4 },
    mask: causal(),
  });
  const { params, apply } = modelWith([mla, gdn]);
  expect(apply(params, ids).shape).toEqual([1, 10, 11]);
});

test("a prefix hit gives the logits of recomputing, bit-identical in the same chunks", () => {
  const { params, apply } = modelWith(hybrid);
  const states = stateCache({ numLayers: 3 });
  const cache = prefixCache({ pages: 16, pageLength: 4, layers: [states, states, states, "paged"] });
  const answer = (prompt: readonly number[]) => {
    const known = cache.matchPrefix(prompt);
    const logits = apply(params, prompt.slice(known), { cache });
    cache.insertPrefix(prompt);
    return { known, logits };
  };
  answer(ids.slice(0, 6)); // a system prompt that ends in the middle of a page
  answer([...ids.slice(0, 6), 7, 7, 7]); // another question after it
  const { known, logits } = answer(ids);
  expect(known).toBe(6);
  const fresh = cacheFor(configWith(hybrid));
  apply(params, ids.slice(0, 6), { cache: fresh });
  expect(logits.data).toEqual(apply(params, ids.slice(6), { cache: fresh }).data);
  expectClose(logits, slice(apply(params, ids), 1, 6));
  // The next message of the conversation: all but the new tokens are cached.
  const next = answer([...ids, 2, 2]);
  expect(next.known).toBe(ids.length);
  expectClose(next.logits, slice(apply(params, [...ids, 2, 2]), 1, ids.length));
});

test("unsupported options of a hybrid stack are refused, with the fix", async () => {
  const { config, params, apply } = modelWith(hybrid);
  expect(() => decoder(configWith(["full", "linear" as never]))).toThrow(
    /decoder: `layerTypes\[1\]` is "linear".*\nFix: write `mixerLayer/,
  );
  expect(() => decoder({ ...configWith(hybrid), bidirectional: true })).toThrow(
    /`bidirectional` is true.*reads forward/,
  );
  expect(() => apply(params, ids, { cache: growingCache({ numLayers: 4 }) })).toThrow(/stateCache\(\)/);
  const mask = causal();
  expect(() => apply(params, ids, { mask })).toThrow(/`mask` is .*\nFix: use `padding` or `documents`\./);
  const cache = cacheFor(config);
  apply(params, [1], { cache });
  expect(() => apply(params, [1, 2], { cache, documents: [0, 1] })).toThrow(
    /`documents` is .*a cache of 1 tokens/,
  );
  expect(() => apply(params, [1, 2, 1], { documents: [0, 1, 0] })).toThrow(
    /`documents` is "0 at token 2 again, after other documents"/,
  );
  const model = { config, params, apply, tokenizer: undefined };
  const drafts = generate(model, ids, { speculate: {} });
  await expect(drafts.next()).rejects.toThrow(/`speculate` is .*\nFix: leave `speculate` out/);
  await expect(exportModel(model, { to: "hf", out: memoryFolder() })).rejects.toThrow(
    /`config.layerTypes\[0\]` is "gatedDeltaRule\(\)".*\nFix: keep the params with `writeSafetensors`/,
  );
  const wide: MixerLayer = mixerLayer({ embedDim: 8, numHeads: 2, mixer: gatedDeltaRule() }) as never;
  const other = modelWith([wide]);
  expect(() => other.apply(other.params, ids)).toThrow(/expected \[B, T, 8\]/);
});
