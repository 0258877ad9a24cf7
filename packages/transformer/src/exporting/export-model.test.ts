/// <reference types="node" />
import { byteLevelBpe, composeTokenizer, template } from "@qkv/tokenizer";
import { mapTensors, randn, tensorsOf, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runs } from "../../../../scripts/tier.mjs";
import { exportModel, type ExportOptions } from "./export-model.js";
import { memoryFolder } from "./memory-folder.js";
import { load, loadEncoder } from "../load.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { decoder, type DecoderParams } from "../models/decoder.js";
import { encoder } from "../models/encoder.js";
import { quantize } from "../quantization/quantize.js";
import { normalizedConfig } from "./architecture-constraints.js";

let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), "qkv-export-"))));
afterAll(() => rmSync(root, { recursive: true }));

const sizes = fc.record({
  heads: fc.constantFrom([2, 1], [2, 2], [4, 2], [3, 1]),
  headDim: fc.constantFrom(2, 4, 6),
  wide: fc.constantFrom(4, 12),
  numLayers: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(1e6),
  tied: fc.boolean(),
  slides: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  scaling: fc.constantFrom<DecoderConfig["ropeScaling"]>(
    undefined,
    { type: "linear", factor: 2 },
    { type: "dynamic", factor: 2, originalLength: 16 },
    { type: "yarn", factor: 4, originalLength: 16, betaFast: 8, truncate: true },
    { type: "llama3", factor: 8, lowFactor: 1, highFactor: 4, originalLength: 16 },
  ),
});
type Sizes = typeof sizes extends fc.Arbitrary<infer T> ? T : never;

const plain = ({
  heads: [numHeads, numKvHeads],
  headDim,
  wide,
  numLayers,
  scaling,
}: Sizes): DecoderConfig => ({
  vocabSize: 11,
  embedDim: wide,
  hiddenDim: 5,
  numLayers,
  numHeads: numHeads!,
  numKvHeads: numKvHeads!,
  headDim,
  contextLength: 32,
  normEps: 1e-5,
  stopIds: [0, 3],
  ropeBase: 500,
  ...(scaling && { ropeScaling: scaling }),
});
const windows = ({ slides, numLayers }: Sizes): Partial<DecoderConfig> =>
  slides.slice(0, numLayers).includes(true)
    ? { window: 4, layerTypes: slides.slice(0, numLayers).map((slide) => (slide ? "sliding" : "full")) }
    : {};
const allSlide = ({ numLayers }: Sizes): Partial<DecoderConfig> => ({
  window: 4,
  layerTypes: Array.from({ length: numLayers }, () => "sliding" as const),
});
const gemma = ({ wide }: Sizes) => ({ activation: "geluTanh", embeddingScale: Math.sqrt(wide) }) as const;
const gemma2 = (s: Sizes): Partial<DecoderConfig> => ({
  ...gemma(s),
  ...windows(s),
  placement: "both",
  attentionScale: 0.25,
  attentionSoftcap: 50,
  logitSoftcap: 30,
});
const gpt2 = ({ heads: [numHeads], headDim }: Sizes): Partial<DecoderConfig> => ({
  embedDim: numHeads! * headDim,
  norm: "layer",
  activation: "geluTanh",
  gated: false,
  positions: "learned",
  bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
});
const withoutRope = ({ ropeScaling: _scaling, ropeBase: _base, ...config }: DecoderConfig): DecoderConfig =>
  config;

/** Configurations of each architecture, as changes of a Llama. */
const architectures: Record<string, (s: Sizes) => DecoderConfig> = {
  llama: plain,
  mistral: (s) => ({ ...plain(s), ...allSlide(s) }),
  qwen2: (s) => ({ ...plain(s), bias: { queryKeyValue: true } }),
  qwen3: (s) => ({ ...plain(s), ...windows(s), qkNorm: true }),
  mixtral: (s) => ({ ...plain(s), experts: { numExperts: 3, expertsPerToken: 2 } }),
  qwen3_moe: (s) => ({
    ...plain(s),
    qkNorm: true,
    experts: { numExperts: 3, expertsPerToken: 2, normTopKProb: false },
  }),
  gemma: (s) => ({ ...plain(s), ...gemma(s) }),
  gemma2: (s) => ({ ...plain(s), ...gemma2(s) }),
  gemma3_text: (s) => ({ ...plain(s), ...gemma2(s), qkNorm: true, slidingRopeBase: 50 }),
  phi3: (s) => ({ ...plain(s), ropeDim: s.headDim === 2 ? 2 : 4, ...(s.headDim === 6 && { ropeDim: 2 }) }),
  gpt2: (s) => withoutRope({ ...plain(s), ...gpt2(s), numKvHeads: s.heads[0]! }),
  gpt_bigcode: (s) => withoutRope({ ...plain(s), ...gpt2(s), numKvHeads: 1 }),
};

/** Random weights, biases and gains. Gains are multiples of 1/256 around 1, so that Gemma's stored gain - 1 is exact. */
function randomParams(config: DecoderConfig, { seed, tied }: Sizes): DecoderParams {
  const params = decoder(config).init(seed);
  if (!tied) params.output = { weight: randn([config.vocabSize, config.embedDim], { seed }) };
  let n = 0;
  return mapTensors(params, (x, path) => {
    n += 1;
    if (!/norm|bias/i.test(path)) return x;
    const random = randn(x.shape, { seed: seed + n });
    random.data.forEach((value, i) => (random.data[i] = 1 + Math.round(value * 64) / 256));
    return random;
  }) as DecoderParams;
}

const sortedTensors = (params: unknown): [string, Tensor][] => {
  const list: [string, Tensor][] = [];
  mapTensors(params, (x, path) => {
    list.push([path, x]);
    return x;
  });
  return list.sort(([a], [b]) => (a < b ? -1 : 1));
};
const sortedNumbers = (params: unknown) =>
  sortedTensors(params).map(([path, x]) => [path, x.shape, Array.from(x.data)] as const);

async function exportedFiles(
  model: Parameters<typeof exportModel>[0],
  options: Partial<Extract<ExportOptions, { to: "hf" }>> = {},
) {
  const out = memoryFolder();
  await exportModel(model, { to: "hf", out, ...options });
  return out.files;
}

describe.each(Object.entries(architectures))("%s", (name, make) => {
  test("property: an exported model loads with equal params and configuration, from one file and from shards", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (s) => {
        const config = make(s);
        const params = randomParams(config, s);
        const files = await exportedFiles({ config, params });
        const json = JSON.parse(await files[0]!.text()) as { model_type: string };
        // Without a window or a partial rotary embedding, a configuration equals a Llama and is exported as one.
        expect([name, "llama"]).toContain(json.model_type);
        const model = await load(files);
        expect(sortedNumbers(model.params)).toEqual(sortedNumbers(params));
        expect(normalizedConfig(model.config, model.params)).toEqual(normalizedConfig(config, params));
        const shards = await exportedFiles({ config, params }, { shardBytes: 300 });
        expect(shards.length).toBeGreaterThan(files.length + 1);
        expect(sortedNumbers((await load(shards)).params)).toEqual(sortedNumbers(params));
      }),
      { numRuns: runs(15) },
    );
  });
});

const sample: Sizes = {
  heads: [4, 2],
  headDim: 4,
  wide: 12,
  numLayers: 2,
  seed: 7,
  tied: true,
  slides: [false, false, false],
  scaling: undefined,
};

test("an interleaved rotary layout is exported as `half`: rows are permuted, logits are equal", async () => {
  const config: DecoderConfig = { ...plain(sample), ropeLayout: "interleaved" };
  const params = randomParams(config, sample);
  const model = await load(await exportedFiles({ config, params }));
  expect(model.config.ropeLayout ?? "half").toBe("half");
  const [expected, got] = [
    decoder(config).apply(params, [1, 2, 3, 4]),
    model.apply(model.params, [1, 2, 3, 4]),
  ];
  expect(got.data).toBeAllclose(expected.data, { rtol: 0, atol: 5e-6 });
  expect(sortedNumbers(model.params)).not.toEqual(sortedNumbers(params));
});

test("property: an exported encoder loads with equal params, with and without a head, from one file and from shards", async () => {
  const sizes = fc.record({
    numHeads: fc.constantFrom(1, 2, 3),
    headDim: fc.constantFrom(2, 4),
    hiddenDim: fc.constantFrom(5, 12),
    numLayers: fc.integer({ min: 1, max: 3 }),
    numTypes: fc.integer({ min: 1, max: 3 }),
    activation: fc.constantFrom("gelu", "relu"),
    seed: fc.nat(1e6),
    headed: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(sizes, async ({ headDim, seed, headed, ...rest }) => {
      const embedDim = rest.numHeads * headDim;
      const config = { ...rest, embedDim, vocabSize: 9, contextLength: 16, normEps: 1e-12 };
      const paramsWithHead = encoder(config).init(seed);
      const { maskedTokenHead: _head, ...bare } = paramsWithHead;
      const params = headed ? paramsWithHead : bare;
      for (const options of [{}, { shardBytes: 300 }]) {
        const model = await loadEncoder(await exportedFiles({ config, params }, options));
        expect(sortedNumbers(model.params)).toEqual(sortedNumbers(params));
        expect(model.config).toEqual(config);
      }
    }),
    { numRuns: runs(15) },
  );
  const config = {
    vocabSize: 9,
    embedDim: 8,
    hiddenDim: 12,
    numLayers: 2,
    numHeads: 2,
    contextLength: 16,
    numTypes: 2,
    normEps: 1e-12,
  };
  const none = encoder({ ...config, numTypes: 0 });
  await expect(exportedFiles({ config: none.config, params: none.init(1) })).rejects.toThrow(
    /`params.types` is undefined[^]*Fix: make the encoder with `numTypes: 1`/,
  );
});

test("exports in float16 and bfloat16 are rounded to nearest", async () => {
  const [config, params] = [plain(sample), randomParams(plain(sample), sample)];
  for (const [dtype, bits] of [
    ["float16", 11],
    ["bfloat16", 8],
  ] as const) {
    const model = await load(await exportedFiles({ config, params }, { dtype }));
    const [got, expected] = [tensorsOf(model.params), tensorsOf(params)];
    expect(got.length).toBe(expected.length);
    got.forEach((x, n) =>
      x.data.forEach((value, i) => {
        const exact = expected[n]!.data[i]!;
        // Below the smallest normal float16, numbers are 2^-24 apart.
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.max(Math.abs(exact) * 2 ** -bits, 2 ** -25));
      }),
    );
    expect(sortedNumbers(model.params)).not.toEqual(sortedNumbers(params));
  }
});

test("the export includes the tokenizer and the stop ids", async () => {
  const tokenizer = byteLevelBpe({ vocab: ["a", "b", "ab", "<end>"], merges: ["a b"] });
  const [config, params] = [plain(sample), randomParams(plain(sample), sample)];
  const model = await load(await exportedFiles({ config, params, tokenizer }));
  expect(model.tokenizer?.encode("abba")).toEqual(tokenizer.encode("abba"));
  expect(model.config.stopIds).toEqual([0, 3]);
});

test("tokenizer_config.json has `add_bos_token` if the post-processor adds a BOS token", async () => {
  const [config, params] = [plain(sample), randomParams(plain(sample), sample)];
  const { stages } = byteLevelBpe({ vocab: ["a", "<s>"], merges: [] });
  const exportedBosFlag = async (more: object) => {
    const files = await exportedFiles({
      config,
      params,
      tokenizer: composeTokenizer({ ...stages, ...more }),
    });
    const file = files.find(({ name }) => name === "tokenizer_config.json")!;
    return (JSON.parse(await file.text()) as { add_bos_token?: boolean }).add_bos_token;
  };
  expect(await exportedBosFlag({ bosId: 1 })).toBeUndefined();
  expect(await exportedBosFlag({ bosId: 1, postProcessor: template({ s: 1 }, "s $A", "s $A $B") })).toBe(
    true,
  );
});

test("a folder on disk appears only when complete: not after an abort, and not over an existing folder", async () => {
  const [config, params] = [plain(sample), randomParams(plain(sample), sample)];
  const out = join(root, "whole");
  const progressEvents: [number, boolean][] = [];
  const onProgress = ({ written }: { written: number }) =>
    void progressEvents.push([written, existsSync(out)]);
  await exportModel({ config, params }, { to: "hf", out, shardBytes: 1000, onProgress });
  expect(progressEvents.every(([, there]) => !there)).toBe(true);
  expect(progressEvents.at(-1)![0]).toBe(
    tensorsOf(params).reduce((sum, { data }) => sum + 4 * data.length, 0),
  );
  expect(sortedNumbers((await load(out)).params)).toEqual(sortedNumbers(params));

  const before = readdirSync(root);
  const bytes = readFileSync(join(out, "config.json"));
  await expect(exportModel({ config, params }, { to: "hf", out })).rejects.toThrow(
    /`out` is "[^]*whole", expected a new folder/,
  );
  expect(readFileSync(join(out, "config.json"))).toEqual(bytes);

  // Aborted at each progress event.
  for (let stop = 0; stop < progressEvents.length; stop++) {
    const controller = new AbortController();
    let events = 0;
    const work = exportModel(
      { config, params },
      {
        to: "hf",
        out: join(root, "stopped"),
        signal: controller.signal,
        onProgress: () => {
          if (events++ === stop) controller.abort(new Error("enough"));
        },
      },
    );
    await expect(work).rejects.toThrow("enough");
  }
  expect(readdirSync(root)).toEqual(before);
  expect(statSync(out).isDirectory()).toBe(true);
});

test("an ONNX export to disk has the files of transformers.js", async () => {
  const [config, params] = [plain(sample), randomParams(plain(sample), sample)];
  const out = join(root, "graph");
  let last = { written: 0, total: 0 };
  const onProgress = (progress: typeof last) => void (last = progress);
  await exportModel({ config, params }, { to: "onnx", out, inlineBytes: 100, onProgress });
  expect(readdirSync(out).sort()).toEqual(["config.json", "generation_config.json", "onnx"]);
  expect(readdirSync(join(out, "onnx")).sort()).toEqual(["model.onnx", "model.onnx_data"]);
  expect(last.written).toBe(last.total);
  expect(last.total).toBeLessThanOrEqual(statSync(join(out, "onnx/model.onnx_data")).size);
  rmSync(out, { recursive: true });
});

test("unsupported options are refused before anything is written, with the nearest architecture", async () => {
  const [config, params] = [plain(sample), randomParams(plain(sample), sample)];
  const out = join(root, "refused");
  const refused = (changes: Partial<DecoderConfig>, options: object = {}) =>
    exportModel({ config: { ...config, ...changes }, params }, { to: "hf", out, ...options });
  await expect(refused({ attentionSoftcap: 30 })).rejects.toThrow(
    /exportModel: `config.attentionSoftcap` is 30, expected nothing, as llama has it, which this model is nearest to\.\nFix: keep the params with `writeSafetensors`: none of the 12 architectures of Hugging Face's layout that were tried stores all traits of this model\./,
  );
  await expect(refused({}, { to: "zip" })).rejects.toThrow(/`to` is "zip", expected "hf", "onnx" or "gguf"/);
  await expect(refused({}, { dtype: "int8" })).rejects.toThrow(
    /`dtype` is "int8", expected "float32", "float16"/,
  );
  await expect(refused({}, { shardBytes: 0 })).rejects.toThrow(/`shardBytes` is 0/);
  const scaled = { ropeScaling: { type: "dynamic", factor: 2, originalLength: 16 } } as const;
  await expect(refused(scaled, { to: "onnx" })).rejects.toThrow(
    /`config.ropeScaling.type` is "dynamic", expected linear, [^]*, in an ONNX graph\.\nFix: export to "hf"/,
  );
  await expect(refused({}, { to: "onnx", opset: 12 })).rejects.toThrow(/`opset` is 12, expected 23 or 17/);
  await expect(refused({}, { to: "onnx", inlineBytes: -1 })).rejects.toThrow(/`inlineBytes` is -1/);
  const { model } = quantize(
    { config, params, tokenizer: undefined, apply: decoder(config).apply },
    { kind: "int8" },
  );
  await expect(exportModel(model, { to: "hf", out })).rejects.toThrow(/`params` is "weights of int8"/);
  await expect(exportModel({ config, params }, { to: "hf", out: join(root, "no", "such") })).rejects.toThrow(
    /a folder that can be made, and this is in a folder that does not exist/,
  );
  expect(existsSync(out)).toBe(false);
});
