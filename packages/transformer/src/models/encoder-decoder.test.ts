import { growingCache } from "@qkv/kv-cache";
import { linear, slice, tensor, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { quantize } from "../quantization/quantize.js";
import { sourceCache } from "./encoded-source.js";
import { encoderDecoder, type EncoderDecoderConfig } from "./encoder-decoder.js";
import { sequenceRows } from "./sequence-rows.js";

const base: EncoderDecoderConfig = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 12, numLayers: 2, numHeads: 2, contextLength: 16 },
  ...{ startIds: [2], stopIds: [2] },
};
const t5: Partial<EncoderDecoderConfig> = {
  ...{
    positions: "relative",
    relativeBias: { numBuckets: 8, maxDistance: 9 },
    norm: "rms",
    placement: "pre",
  },
  ...{ headDim: 3, attentionScale: 1, bias: false, gated: true, logitScale: 0.5 },
};
const traits: [string, Partial<EncoderDecoderConfig>][] = [
  ["BART's", { embeddingNorm: true, embeddingScale: 2 }],
  ["T5's", t5],
  ["UMT5's", { ...t5, relativeBias: { numBuckets: 8, maxDistance: 9, perLayer: true } }],
  ["Marian's", { positions: "sinusoidal", activation: "silu" }],
  ["M2M's", { positions: "sinusoidal", sinusoids: { first: 2, inclusive: true }, placement: "pre" }],
  ["rotary", { positions: "rotary", rope: { dim: 2, layout: "interleaved" }, placement: "pre" }],
  ["another encoder", { encoder: { numLayers: 1, numHeads: 4, hiddenDim: 5, vocabSize: 7 } }],
];
const source = [3, 1, 4, 1, 5];
const ids = [2, 7, 1, 8, 2, 8];
const computeLogits = (config: EncoderDecoderConfig, params = encoderDecoder(config).init(1)) =>
  encoderDecoder(config).apply(params, ids, { source }).data;

test.each(traits)(
  "%s traits: initial params suffice for a call, and the logits differ from the default",
  (_, traits) => {
    const config = { ...base, ...traits };
    const logits = computeLogits(config);
    expect(logits).toHaveLength(ids.length * 11);
    expect(logits.every(Number.isFinite)).toBe(true);
    expect(logits).not.toEqual(computeLogits(base));
  },
);

const tokens = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 2, maxLength: 8 });

test.each(traits)("property: %s decoder gives the same logits with a cache as without", (_, traits) => {
  const model = encoderDecoder({ ...base, ...traits });
  fc.assert(
    fc.property(tokens, tokens, fc.integer(), (source, ids, seed) => {
      const params = model.init(seed);
      const fullLogits = model.apply(params, ids, { source });
      const cache = sourceCache(growingCache({ numLayers: 2 }), model.encode(params, source));
      ids.forEach((id, t) => {
        const step = model.apply(params, [id], { cache });
        expect(step).toBeAllclose(slice(fullLogits, 1, t, t + 1), { rtol: 1e-5, atol: 1e-5 });
      });
    }),
    { numRuns: 5 },
  );
});

test("keys and values of the source are computed once for all generated tokens", () => {
  const calls = new Map<Tensor, number>();
  const count: typeof linear = (x, weight, bias) => {
    calls.set(weight, (calls.get(weight) ?? 0) + 1);
    return linear(x, weight, bias);
  };
  const model = encoderDecoder(base, { linear: count });
  const params = model.init(1);
  const cache = sourceCache(growingCache({ numLayers: 2 }), model.encode(params, source));
  for (const id of ids) model.apply(params, [id], { cache });
  for (const { crossAttention } of params.decoder.layers) {
    expect(calls.get(crossAttention!.key.weight)).toBe(1);
    expect(calls.get(crossAttention!.value.weight)).toBe(1);
    expect(calls.get(crossAttention!.query.weight)).toBe(ids.length);
  }
});

test("tensors of encoder and decoder are traced by name; rows of cross-attention weights sum to 1", () => {
  const model = encoderDecoder(base);
  const params = model.init(1);
  const tensors: Record<string, Tensor> = {};
  model.apply(params, ids, { source, trace: { names: ["weights", "crossAttentionOutput"], tensors } });
  expect(Object.entries(tensors).map(([name, { shape }]) => [name, shape])).toEqual([
    ["encoder.layers.0.attention.weights", [1, 2, 5, 5]],
    ["encoder.layers.1.attention.weights", [1, 2, 5, 5]],
    ["decoder.layers.0.attention.weights", [1, 2, 6, 6]],
    ["decoder.layers.0.crossAttention.weights", [1, 2, 6, 5]],
    ["decoder.layers.0.crossAttentionOutput", [1, 6, 8]],
    ["decoder.layers.1.attention.weights", [1, 2, 6, 6]],
    ["decoder.layers.1.crossAttention.weights", [1, 2, 6, 5]],
    ["decoder.layers.1.crossAttentionOutput", [1, 6, 8]],
  ]);
  const [row] = tensors["decoder.layers.0.crossAttention.weights"]!.toNested() as number[][][][];
  for (const weights of row!.flat()) expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);

  const alone: Record<string, Tensor> = {};
  const names = ["decoder.layers.1.crossAttention.weights"] as const;
  model.apply(params, ids, { source, trace: { names, tensors: alone } });
  expect(Object.keys(alone)).toEqual([...names]);
  const wrong = { names: ["encoder.layers.0.crossAttention.weights"], tensors: {} } as const;
  expect(() => model.apply(params, ids, { source, trace: wrong })).toThrow(
    /`trace.names` is "encoder.layers.0.crossAttention.weights"/,
  );
});

test("a batch of sources of different lengths gives the logits of each source alone", () => {
  const model = encoderDecoder({ ...base, ...t5 });
  const params = model.init(1);
  const sources = [
    [3, 1, 4, 1, 5],
    [9, 2],
  ];
  const batch = tensor([ids, ids], { dtype: "int32" });
  const both = model.apply(params, batch, { source: sources });
  sources.forEach((source, b) => {
    const alone = model.apply(params, ids, { source });
    expect(slice(both, 0, b, b + 1)).toBeAllclose(alone, { rtol: 1e-5, atol: 1e-5 });
  });
  const padded = tensor(
    [
      [3, 1, 4, 1, 5],
      [9, 2, 7, 7, 7],
    ],
    { dtype: "int32" },
  );
  const encoded = model.encode(params, padded, { padding: [5, 2] });
  expect(model.apply(params, batch, { source: encoded })).toBeAllclose(both, { rtol: 1e-6, atol: 1e-6 });
  const logits = model.apply(params, batch, { source: padded, sourcePadding: [5, 2] });
  expect(logits).toBeAllclose(both, { rtol: 1e-6, atol: 1e-6 });
  expect(() => model.apply(params, batch, { source: encoded, sourcePadding: [5, 2] })).toThrow(
    /`sourcePadding`/,
  );
});

test("repeat, reorder and fork of a cache apply to its source", () => {
  const model = encoderDecoder(base);
  const params = model.init(1);
  const sources = [
    [3, 1, 4],
    [5, 9, 2, 6],
  ];
  const cache = sourceCache(growingCache({ numLayers: 2 }), model.encode(params, sources));
  model.apply(params, tensor([[2], [2]], { dtype: "int32" }), { cache });
  const fork = cache.fork();
  cache.repeat(2); // 0 0 1 1
  cache.reorder([2, 1]); // 1 0
  const logits = model.apply(params, tensor([[7], [7]], { dtype: "int32" }), { cache });
  [1, 0].forEach((source, b) => {
    const alone = model.apply(params, [2, 7], { source: sources[source]!, last: 1 });
    expect(slice(logits, 0, b, b + 1)).toBeAllclose(alone, { rtol: 1e-5, atol: 1e-5 });
  });
  const forkLogits = model.apply(params, tensor([[7], [7]], { dtype: "int32" }), { cache: fork });
  expect(slice(forkLogits, 0, 0, 1)).toBeAllclose(slice(logits, 0, 1, 2), { rtol: 1e-5, atol: 1e-5 });
  cache.reset();
  expect([cache.length, cache.source.lengths]).toEqual([0, [3, 4]]);
});

test("a call that throws does not change the cache", () => {
  const model = encoderDecoder(base);
  const params = model.init(1);
  const cache = sourceCache(growingCache({ numLayers: 2 }), model.encode(params, source));
  model.apply(params, [2, 7], { cache });
  expect(() => model.apply(params, [99], { cache })).toThrow(/`ids` is 99/);
  expect(() => model.apply(params, ids.slice(0, 6).concat(ids, ids), { cache })).toThrow(/positions/);
  expect(cache.length).toBe(2);
});

test("8-bit weights change the logits by at most 0.01", () => {
  const config = { ...base, embedDim: 32, hiddenDim: 64 };
  const functions = encoderDecoder(config);
  const model = { ...functions, params: functions.init(1), tokenizer: undefined };
  const { model: rounded, report } = quantize(model);
  expect(Object.keys(report.errors)).toContain("decoder.layers.1.crossAttention.query.weight");
  expect(Object.keys(report.errors)).toContain("encoder.layers.0.feedForward.up.weight");
  const [a, b] = [model, rounded].map((variant) => variant.apply(variant.params, ids, { source }));
  expect(b!.data).not.toEqual(a!.data);
  expect(b!).toBeAllclose(a!, { rtol: 0.01, atol: 0.01 });
});

test("sequenceRows gives the row of the last end token", () => {
  const head = { task: "sequence", labels: ["no", "yes"] } as const;
  const functions = encoderDecoder({ ...base, head });
  const model = { ...functions, params: functions.init(1), tokenizer: undefined };
  const rows = sequenceRows(model, [
    [3, 2, 1, 2],
    [5, 2],
  ]);
  expect(rows.shape).toEqual([2, 1, 8]);
  const alone = model.apply(model.params, [2, 5], { source: [5, 2], output: "rows", last: 1 });
  expect(slice(rows, 0, 1, 2)).toBeAllclose(alone, { rtol: 1e-5, atol: 1e-5 });
  expect(() => sequenceRows(model, [[3, 1]])).toThrow(/`texts\[0\]` is "a text without the end token 2"/);
});

test.each<[Partial<EncoderDecoderConfig>, RegExp]>([
  [{ startIds: [] }, /`startIds` is \[\], expected one token id or more/],
  [{ startIds: [11] }, /`startIds` is 11, expected token ids from 0 to 10/],
  [{ forcedBosId: 11 }, /`forcedBosId` is 11/],
  [{ positions: "relative" }, /`relativeBias.numBuckets` is undefined/],
  [{ relativeBias: { numBuckets: 8, maxDistance: 9 } }, /`relativeBias` is .*positions are not "relative"/],
  [{ positions: "alibi" as never }, /`positions` is "alibi"/],
  [{ placement: "both" as never }, /`placement` is "both"/],
  [{ encoder: { embedDim: 4 } as never }, /`embedDim`/],
  [{ padId: 11 }, /`padId` is 11/],
  [{ logitScale: 0 }, /`logitScale` is 0/],
  [{ attentionSoftcap: 3 } as never, /`attentionSoftcap`/],
])("refuses %o", (change, message) => {
  expect(() => encoderDecoder({ ...base, ...change })).toThrow(message);
});

test("a call without a source, or with one of another batch size, is refused", () => {
  const model = encoderDecoder(base);
  const params = model.init(1);
  expect(() => model.apply(params, ids)).toThrow(
    /`source` is undefined, expected what the model's encoder made/,
  );
  const two = model.encode(params, [[3], [4, 5]]);
  expect(() => model.apply(params, ids, { source: two })).toThrow(
    /a source of 2 batches.*expected one of 1/s,
  );
  expect(() => model.encode(params, [3, 11])).toThrow(/`ids\[1\]` is 11/);
  expect(() => model.encode(params, [3, 1], { padding: [3] })).toThrow(/`padding`/);
});
