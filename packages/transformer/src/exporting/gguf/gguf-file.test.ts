/// <reference types="node" />
import { readGgufHeader } from "@qkv/core";
import { byteLevelBpe } from "@qkv/tokenizer";
import { mapTensors, randn, take, tensor, tensorsOf, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { runs } from "../../../../../scripts/tier.mjs";
import { exportModel, type ExportOptions } from "../export-model.js";
import { memoryFolder } from "../memory-folder.js";
import { load, loadEncoder } from "../../load.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { decoder, type DecoderParams } from "../../models/decoder.js";
import { encoder } from "../../models/encoder.js";
import type { Model } from "../../models/model.js";
import { interleavedFromHalf } from "../../conversions/rotary-layout.js";
import { normalizedConfig } from "../architecture-constraints.js";
import { slidingPeriod } from "./sliding-period.js";

type Dtype = NonNullable<Extract<ExportOptions, { to: "gguf" }>["dtype"]>;
type Exported = Parameters<typeof exportModel>[0];

async function exportedBytes(model: Exported, dtype?: Dtype): Promise<Uint8Array<ArrayBuffer>> {
  const out = memoryFolder();
  await exportModel(model, { to: "gguf", out, ...(dtype && { dtype }) });
  expect(out.files.map(({ name }) => name)).toEqual(["model.gguf"]);
  return new Uint8Array(await out.files[0]!.arrayBuffer());
}

const sizes = fc.record({
  heads: fc.constantFrom([2, 1], [2, 2], [4, 2], [3, 1]),
  headDim: fc.constantFrom(2, 4, 6),
  wide: fc.constantFrom(4, 12),
  numLayers: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(1e6),
  tied: fc.boolean(),
  period: fc.nat(3),
  interleaved: fc.boolean(),
  scaling: fc.constantFrom<DecoderConfig["ropeScaling"]>(
    undefined,
    { type: "linear", factor: 2 },
    { type: "yarn", factor: 4, originalLength: 16 },
    { type: "yarn", factor: 4, originalLength: 16, attentionFactor: 0.75 },
  ),
});
type Sizes = Omit<typeof sizes extends fc.Arbitrary<infer T> ? T : never, "wide"> & { wide: number };

const plain = (s: Sizes): DecoderConfig => ({
  vocabSize: 11,
  embedDim: s.wide,
  hiddenDim: 5,
  numLayers: s.numLayers,
  numHeads: s.heads[0]!,
  numKvHeads: s.heads[1]!,
  headDim: s.headDim,
  contextLength: 32,
  normEps: 2 ** -10,
  stopIds: [0, 3],
  ropeBase: 500,
  ...(s.scaling && { ropeScaling: s.scaling }),
});
const rotary = (s: Sizes): DecoderConfig => ({
  ...plain(s),
  ropeLayout: s.interleaved ? "interleaved" : "half",
});
const slides = ({ period, numLayers }: Sizes): Partial<DecoderConfig> => ({
  window: 4,
  layerTypes: Array.from({ length: numLayers }, (_, i) =>
    period === 0 || i % period < period - 1 ? ("sliding" as const) : ("full" as const),
  ),
});
const gemma = ({ wide }: Sizes) => ({ activation: "geluTanh", embeddingScale: Math.sqrt(wide) }) as const;
const gemma2 = (s: Sizes): Partial<DecoderConfig> => ({
  ...gemma(s),
  ...slides(s),
  placement: "both",
  attentionSoftcap: 50,
  logitSoftcap: 30,
});
const gpt2 = (s: Sizes, numKvHeads: number): DecoderConfig => {
  const { ropeScaling: _scaling, ropeBase: _base, headDim, ...config } = plain(s);
  return {
    ...config,
    ...{ embedDim: s.heads[0]! * headDim!, numKvHeads, norm: "layer", activation: "geluTanh", gated: false },
    positions: "learned",
    bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
  };
};
const experts = { numExperts: 3, expertsPerToken: 2 };
const divided = (s: Sizes) => ({ ...s, wide: s.heads[0]! * s.headDim });

/** Configurations by the architecture name in the file, as changes of a Llama. */
const architectures: Record<string, (s: Sizes) => DecoderConfig> = {
  llama: rotary,
  "llama, biased": (s) => ({ ...rotary(s), bias: { queryKeyValue: true, attentionOutput: true } }),
  "llama, experts": (s) => ({ ...rotary(s), experts }),
  qwen2: (s) => ({ ...plain(divided(s)), bias: { queryKeyValue: true } }),
  qwen3: (s) => ({ ...plain(s), qkNorm: true }),
  qwen3moe: (s) => ({ ...plain(s), qkNorm: true, experts }),
  gemma: (s) => ({ ...plain(s), ...gemma(s) }),
  gemma2: (s) => ({ ...plain(s), ...gemma2(s) }),
  gemma3: (s) => {
    const { attentionSoftcap: _cap, ...config } = { ...plain(s), ...gemma2(s) };
    return { ...config, qkNorm: true, slidingRopeBase: 50 };
  },
  phi3: (s) => ({ ...plain(divided(s)), ropeDim: s.headDim === 2 ? 2 : s.headDim - 2 }),
  gpt2: (s) => gpt2(s, s.heads[0]!),
  starcoder: (s) => gpt2(s, 1),
};

/** Random weights, biases and gains. */
function randomParams(config: DecoderConfig, { seed, tied }: Sizes): DecoderParams {
  const params = decoder(config).init(seed);
  if (!tied && config.embeddingScale === undefined)
    params.output = { weight: randn([config.vocabSize, config.embedDim], { seed }) };
  let n = 0;
  return mapTensors(params, (x, path) => {
    n += 1;
    return /norm|bias/i.test(path) ? randn(x.shape, { seed: seed + n }) : x;
  }) as DecoderParams;
}

function sortedTensors(params: unknown): [string, Tensor][] {
  const list: [string, Tensor][] = [];
  mapTensors(params, (x, path) => (list.push([path, x]), x));
  return list.sort(([a], [b]) => (a < b ? -1 : 1));
}
const sortedNumbers = (params: unknown) =>
  sortedTensors(params).map(([path, x]) => [path, x.shape, Array.from(x.data)] as const);

/** Params with the interleaved rotary layout, which llama.cpp uses for Llama. */
function asInterleaved(config: DecoderConfig, params: DecoderParams): DecoderParams {
  const from = interleavedFromHalf(config.headDim!);
  return mapTensors(params, (x, path) => {
    if (!/attention\.(query|key)\./.test(path)) return x;
    return take(x, 0, tensor(Int32Array.from({ length: x.shape[0]! }, (_, row) => from(row))));
  }) as DecoderParams;
}

describe.each(Object.entries(architectures))("%s", (name, make) => {
  const [architecture] = name.split(",");
  test("property: an exported file loads with equal params and configuration, and close logits", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (s) => {
        const config = make(s);
        const params = randomParams(config, s);
        const file = await exportedBytes({ config, params });
        const { metadata, tensors } = readGgufHeader(file);
        // Without a partial rotary embedding, a phi3 equals a Llama and is exported as one.
        expect([architecture, name === "phi3" ? "llama" : architecture]).toContain(
          metadata.get("general.architecture"),
        );
        expect(tensors.every(({ type }) => type === 0)).toBe(true);
        const model = await load(file);
        const rotates =
          metadata.get("general.architecture") === "llama" && config.ropeLayout !== "interleaved";
        expect(sortedNumbers(model.params)).toEqual(
          sortedNumbers(rotates ? asInterleaved(config, params) : params),
        );
        const expected: DecoderConfig = {
          ...normalizedConfig(config, params),
          ...(rotates && { ropeLayout: "interleaved" }),
        };
        const { ropeScaling, ...got } = normalizedConfig(model.config, model.params);
        const { ropeScaling: scaling, ...others } = expected;
        expect(got).toEqual(others);
        expect(ropeScaling?.type).toBe(scaling?.type);
        const [before, after] = [
          decoder(config).apply(params, [1, 2, 3, 4, 5]),
          model.apply(model.params, [1, 2, 3, 4, 5]),
        ];
        expect(after).toBeAllclose(before, { rtol: 1e-4, atol: 1e-4 });
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
  period: 2,
  interleaved: false,
  scaling: undefined,
};
const config = plain(sample);
const params = randomParams(config, sample);

test.each<[string, DecoderConfig["ropeScaling"]]>([
  ["llama", { type: "llama3", factor: 8, lowFactor: 1, highFactor: 4, originalLength: 16 }],
  ["phi3", { type: "longrope", factor: 2, originalLength: 16, shortFactors: [1, 1.5], longFactors: [1, 3] }],
  ["llama", { type: "longrope", factor: 2, originalLength: 16, shortFactors: [1, 2], longFactors: [1, 4] }],
])("RoPE scaling factors of a %s are stored as tensors in float32", async (architecture, ropeScaling) => {
  const scaled: DecoderConfig = {
    ...plain(divided({ ...sample, headDim: architecture === "phi3" ? 6 : 4 })),
    ropeScaling: ropeScaling!,
    ...(architecture === "phi3" && { ropeDim: 4 }),
  };
  const scaledParams = randomParams(scaled, sample);
  const file = await exportedBytes({ config: scaled, params: scaledParams }, "float16");
  const { metadata, tensors } = readGgufHeader(file);
  expect(metadata.get("general.architecture")).toBe(architecture);
  expect(tensors.filter(({ name }) => name.startsWith("rope_")).every(({ type }) => type === 0)).toBe(true);
  const model = await load(await exportedBytes({ config: scaled, params: scaledParams }));
  for (const length of [5, 20]) {
    const ids = Array.from({ length }, (_, i) => (3 * i) % 11);
    const [a, b] = [decoder(scaled).apply(scaledParams, ids).data, model.apply(model.params, ids).data];
    expect(a).toBeAllclose(b, { rtol: 0, atol: 1e-4 });
  }
});

test("matrices are rounded to nearest; vectors and routers stay in float32, and rows not divisible by 32 have 16 bits in q8_0", async () => {
  const wide: DecoderConfig = { ...config, embedDim: 64, hiddenDim: 48, headDim: 8, experts };
  const wideParams = randomParams(wide, sample);
  const interleaved = asInterleaved(wide, wideParams);
  const expected = new Map(sortedTensors(interleaved));
  for (const [dtype, type, bits] of [
    ["float16", 1, 11],
    ["bfloat16", 30, 8],
    ["q8_0", 8, 0],
  ] as const) {
    const file = await exportedBytes({ config: wide, params: wideParams }, dtype);
    const { tensors, metadata } = readGgufHeader(file);
    const tensorType = (name: string) => tensors.find((entry) => entry.name === name)!.type;
    expect(metadata.get("general.file_type")).toBe({ float16: 1, bfloat16: 32, q8_0: 7 }[dtype]);
    expect(tensorType("blk.0.attn_q.weight")).toBe(type);
    expect(tensorType("blk.0.attn_norm.weight")).toBe(0);
    expect(tensorType("blk.0.ffn_gate_inp.weight")).toBe(0);
    expect(tensorType("blk.0.ffn_down_exps.weight")).toBe(dtype === "q8_0" ? 1 : type); // 48 in a row
    const model = await load(file);
    for (const [path, x] of sortedTensors(model.params)) {
      const exact = expected.get(path)!.data;
      const inner = x.shape.at(-1)!;
      const isUnrounded = x.shape.length === 1 || path.includes("router");
      x.data.forEach((value, i) => {
        const error = Math.abs(value - exact[i]!);
        if (isUnrounded) return expect(error).toBe(0);
        if (dtype !== "q8_0" || inner % 32 !== 0) {
          const rounding = dtype === "q8_0" ? 11 : bits;
          return expect(error).toBeLessThanOrEqual(Math.max(Math.abs(exact[i]!) * 2 ** -rounding, 2 ** -25));
        }
        const block = Array.from(exact.subarray(i - (i % 32), i - (i % 32) + 32));
        const largest = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        // Half a step, and the rounding of the step itself to the 11 bits of float16, times up to 127 steps.
        expect(error).toBeLessThanOrEqual((largest / 127) * (0.5 + 127 * 2 ** -11));
      });
    }
  }
});

test("the export includes the tokenizer, the chat template and the stop ids", async () => {
  const tokenizer = byteLevelBpe({ vocab: ["a", "b", "ab", "<end>"], merges: ["a b"] });
  const chatTemplate = "{% for m in messages %}{{ m.content }}{% endfor %}";
  const file = await exportedBytes({
    config: { ...config, stopIds: [3, 1] },
    params,
    tokenizer,
    chatTemplate,
  });
  const { metadata } = readGgufHeader(file);
  expect(metadata.get("tokenizer.chat_template")).toBe(chatTemplate);
  expect(metadata.get("tokenizer.ggml.tokens")).toHaveLength(config.vocabSize);
  expect((metadata.get("tokenizer.ggml.token_type") as number[]).slice(3, 6)).toEqual([1, 5, 5]);
  const model: Model = await load(file);
  expect(model.tokenizer?.encode("abba")).toEqual(tokenizer.encode("abba"));
  expect(model.config.stopIds).toEqual([3, 1]);
  const bare = await load(await exportedBytes({ config, params }));
  expect([bare.tokenizer, bare.config.stopIds]).toEqual([undefined, [0, 3]]);
});

test("an encoder is exported without its head, and one with another activation is refused", async () => {
  const config = {
    ...{ vocabSize: 9, embedDim: 8, hiddenDim: 12, numLayers: 2, numHeads: 2 },
    ...{ contextLength: 16, numTypes: 2, normEps: 2 ** -40 },
  };
  const params = encoder(config).init(3);
  const { maskedTokenHead: _head, ...rows } = params;
  const model = await loadEncoder(await exportedBytes({ config, params }));
  expect(sortedNumbers(model.params)).toEqual(sortedNumbers(rows));
  expect(model.config).toEqual({ ...config, activation: "gelu" });
  await expect(exportedBytes({ config: { ...config, activation: "relu" }, params })).rejects.toThrow(
    /`config.activation` is "relu", expected gelu, as llama.cpp's bert has it\.\nFix: export to "hf"/,
  );
});

test.each<[string, Partial<DecoderConfig>, RegExp]>([
  [
    "an activation",
    { activation: "relu" },
    /`config.activation` is "relu", expected "silu", as llama has it/,
  ],
  [
    "a window",
    { window: 4, layerTypes: ["sliding", "sliding"] },
    /`config.layerTypes` is .*expected no `window` below `contextLength` \(say a shorter one\)/,
  ],
  [
    "a scaling",
    { ropeScaling: { type: "dynamic", factor: 2, originalLength: 16 } },
    /`config.ropeScaling` is .*expected none, or one of linear, yarn, llama3, longrope/,
  ],
  [
    "YaRN by other betas",
    { ropeScaling: { type: "yarn", factor: 2, originalLength: 16, betaFast: 8 } },
    /`config.ropeScaling`/,
  ],
  ["a factor of ALiBi", { alibiScale: 0.5 }, /`config.alibiScale` is 0.5, expected nothing, as llama/],
  ["stops", { stopIds: [1, 2, 3, 4] }, /`config.stopIds` .*expected three tokens at most/],
])(
  "%s that llama.cpp does not support is refused before anything is written",
  async (_, changes, message) => {
    const out = memoryFolder();
    const work = exportModel({ config: { ...config, ...changes }, params }, { to: "gguf", out });
    await expect(work).rejects.toThrow(message);
    expect(out.files).toEqual([]);
  },
);

test("options that llama.cpp does not support for Gemma 2 are refused", async () => {
  const refused = (changes: Partial<DecoderConfig>, more: Partial<DecoderParams> = {}) => {
    const config: DecoderConfig = { ...plain(sample), ...gemma2(sample), ...changes };
    return exportedBytes({ config: config, params: { ...randomParams(config, sample), ...more } });
  };
  await expect(refused({ attentionScale: 0.3 })).rejects.toThrow(
    /`config.attentionScale` is 0.3, expected what llama.cpp takes: 1 \/ √headDim/,
  );
  await expect(refused({ layerTypes: ["full", "sliding"] })).rejects.toThrow(
    /expected one full layer after every so many/,
  );
  await expect(refused({}, { output: { weight: params.embedding.weight } })).rejects.toThrow(
    /`params.output` .*expected nothing: llama.cpp's gemma2 makes logits with the embedding/,
  );
});

test("a file whose block_count exceeds its layers is refused", async () => {
  const config: DecoderConfig = { ...plain(sample), ...gemma2(sample) };
  const file = await exportedBytes({ config: config, params: randomParams(config, sample) });
  const key = new TextEncoder().encode("gemma2.block_count");
  const at = file.findIndex((_, i) => key.every((byte, k) => file[i + k] === byte)) + key.length + 4;
  expect(new DataView(file.buffer).getUint32(at, true)).toBe(2);
  new DataView(file.buffer).setUint32(at, 2 ** 32 - 1, true);
  await expect(load(file)).rejects.toThrow(/num_hidden_layers` is 4294967295, expected at most/);
});

test("a window as long as the context is omitted", async () => {
  const window: DecoderConfig = { ...config, window: 32, layerTypes: ["sliding", "sliding"] };
  const { config: got } = await load(await exportedBytes({ config: window, params }));
  expect(got.layerTypes).toBeUndefined();
});

test("property: slidingPeriod gives the period that reproduces the layers, and undefined if there is none", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }), (list) => {
      const types = list.map((isSliding) => (isSliding ? ("sliding" as const) : ("full" as const)));
      const period = slidingPeriod(types, types.length);
      const slidingPattern = (period: number) => list.map((_, i) => period === 0 || i % period < period - 1);
      if (period !== undefined) expect(slidingPattern(period)).toEqual(list);
      else for (let p = 0; p <= 9; p++) expect(slidingPattern(p)).not.toEqual(list);
    }),
  );
});

describe("on disk", () => {
  let root: string;
  beforeAll(() => (root = mkdtempSync(join(tmpdir(), "qkv-gguf-"))));
  afterAll(() => rmSync(root, { recursive: true }));

  test("a file appears only when complete: not after an abort, and not over an existing file", async () => {
    const out = join(root, "model.gguf");
    const progressEvents: [number, boolean][] = [];
    const onProgress = ({ written }: { written: number }) =>
      void progressEvents.push([written, existsSync(out)]);
    await exportModel({ config, params }, { to: "gguf", out, onProgress });
    expect(progressEvents.every(([, there]) => !there)).toBe(true);
    expect(progressEvents.at(-1)![0]).toBe(
      tensorsOf(params).reduce((sum, { data }) => sum + 4 * data.length, 0),
    );
    expect(new Uint8Array(readFileSync(out))).toEqual(await exportedBytes({ config, params }));
    await expect(exportModel({ config, params }, { to: "gguf", out })).rejects.toThrow(
      /`out` is "[^]*model.gguf", expected a new file, and there is something at this path\.\nFix: name a file/,
    );
    await expect(
      exportModel({ config, params }, { to: "gguf", out: join(root, "no", "such.gguf") }),
    ).rejects.toThrow(/expected a file that can be made, and this is in a folder that does not exist/);
    for (let stop = 0; stop < progressEvents.length; stop++) {
      const controller = new AbortController();
      let pieces = 0;
      const abortedExport = exportModel(
        { config, params },
        {
          to: "gguf",
          out: join(root, "stopped.gguf"),
          signal: controller.signal,
          onProgress: () => void (pieces++ === stop && controller.abort(new Error("enough"))),
        },
      );
      await expect(abortedExport).rejects.toThrow("enough");
    }
    expect(readdirSync(root)).toEqual(["model.gguf"]);
  });

  test("a file truncated anywhere is refused", async () => {
    const file = await exportedBytes({ config, params });
    const { dataStart, tensors } = readGgufHeader(file);
    const ends = tensors.map(({ offset, dims }) => dataStart + offset + 4 * dims.reduce((a, b) => a * b, 1));
    for (const end of [0, 3, 100, dataStart - 1, dataStart, ...ends.map((end) => end - 1)])
      await expect(load(file.slice(0, end))).rejects.toThrow(/FormatError|GGUF file|expected/);
  });
});
