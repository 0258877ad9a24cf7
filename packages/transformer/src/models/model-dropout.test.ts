import { mixerLayer, simpleGla } from "@qkv/attention";
import { checkGradient, grad, mapTensors, mul, randn, remat, sum, tensorsOf, type Tensor } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import "@qkv/test-support/allclose";
import { describe, expect, test } from "vitest";
import type { DecoderConfig } from "./decoder-config.js";
import { decoder, type DecoderParams } from "./decoder.js";
import { encoder, type EncoderConfig } from "./encoder.js";
import { exportModel } from "../exporting/export-model.js";
import { memoryFolder } from "../exporting/memory-folder.js";
import { readCheckpoint, writeCheckpoint } from "../training/checkpoint.js";
import { distillationLoss } from "../training/distillation-loss.js";
import { meanLoss, batchSeed, tokenLoss } from "../training/losses.js";
import { nextTokenBatches } from "../training/next-token-batches.js";
import { train } from "../training/train.js";
import { callDropout, type DropoutRates } from "./model-dropout.js";
import { transformerLayer, type TokenLayer } from "../layers/transformer-layer.js";

const config: DecoderConfig = {
  ...{ vocabSize: 13, embedDim: 8, hiddenDim: 12, numLayers: 3, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
};
const all: DropoutRates = { attention: 0.3, residual: 0.2, embedding: 0.1, layer: 0.2 };
const ids = [3, 1, 4, 1, 5, 9, 2, 6];
const plain = decoder(config);
const params = plain.init(1);
const logits = (dropout: DropoutRates, dropoutSeed?: number, more: Partial<DecoderConfig> = {}) =>
  decoder({ ...config, ...more, dropout }).apply(
    params,
    ids,
    dropoutSeed === undefined ? {} : { dropoutSeed },
  ).data;
const kinds = Object.entries(all).map(([name, rate]) => [name, { [name]: rate } as DropoutRates] as const);

describe.each([...kinds, ["all four", all] as const])("dropout of %s", (_, rates) => {
  test("is off without a seed, equal for equal seeds, and different for most others", () => {
    const plainLogits = plain.apply(params, ids).data;
    expect(logits(rates)).toEqual(plainLogits);
    const seeds = Array.from({ length: 8 }, (_, seed) => logits(rates, seed).join());
    expect(logits(rates, 3).join()).toBe(seeds[3]);
    expect(new Set(seeds).size).toBeGreaterThan(3);
  });

  test("has the gradient of central differences, and the same gradient under remat", () => {
    const model = decoder({ ...config, dropout: rates });
    const wide = mapTensors(params, (x) => randn(x.shape, { seed: x.shape[0]!, dtype: "float64" }));
    const weigh = randn([1, ids.length, 13], { seed: 5, dtype: "float64" });
    const f = (own: DecoderParams) => sum(mul(model.apply(own, ids, { dropoutSeed: 4 }), weigh));
    const first = wide.layers[0]!.attention.value.weight;
    const withFirst = (weight: Tensor): DecoderParams => ({
      ...wide,
      layers: wide.layers.map((layer, i) =>
        i === 0 ? { ...layer, attention: { ...layer.attention, value: { weight } } } : layer,
      ),
    });
    checkGradient((weight) => f(withFirst(weight)), first);
    const [once, again] = [grad(f)(wide), grad(remat(f))(wide)];
    expect(tensorsOf(again).map(({ data }) => data)).toEqual(tensorsOf(once).map(({ data }) => data));
  });
});

const identity: TokenLayer<object> = { init: () => ({}), apply: (_, x) => x };

test.each(["pre", "post", "both", "after", "normed"] as const)(
  "with the placement %s, dropout does not change the mean of what a layer adds",
  (placement) => {
    const layer = transformerLayer({
      ...{ feedForward: identity, placement, dropout: 0.4, residualScale: 0.5 },
      norm: { init: () => ({ weight: randn([1], { seed: 1 }) }), apply: (_, x) => x },
    });
    const x = randn([1, 2, 3], { seed: 2 });
    const runs = 4000;
    const total = new Float64Array(6);
    for (let dropoutSeed = 0; dropoutSeed < runs; dropoutSeed++)
      layer.apply(layer.init(1), x, { dropoutSeed }).data.forEach((y, i) => (total[i]! += y / runs));
    // The layer adds x / 2. A rate p of 0.4 has a standard deviation of √(p / (1 - p)) / 2 · |x|: about 0.006 of |x| in a mean of 4000.
    expect([...total]).toBeAllclose(mul(x, 1.5).data, { rtol: 0.03, atol: 0 });
  },
);

test("parallel attention and feed-forward outputs have independent dropout", () => {
  const layer = transformerLayer({
    attention: { init: () => ({}), apply: (_: object, x: Tensor) => x },
    feedForward: identity,
    norm: { init: () => ({ weight: randn([1], { seed: 1 }) }), apply: (_, x) => x },
    placement: "parallel",
    dropout: 0.5,
  });
  const x = randn([1, 8, 64], { seed: 2 });
  const y = layer.apply(layer.init(1), x, { dropoutSeed: 1 }).data;
  // x plus none, one or both of two outputs, each scaled by 1 / (1 - 0.5).
  const parts = new Set(Array.from(y, (number, i) => Math.round(number / x.data[i]!)));
  expect([...parts].sort()).toEqual([1, 3, 5]);
});

test("with all layers dropped, logits equal those of a model without layers", () => {
  const none = decoder({ ...config, numLayers: 0 });
  const almost = 1 - 2 ** -40;
  expect(logits({ layer: almost }, 7)).toEqual(none.apply({ ...params, layers: [] }, ids).data);
});

test("the fraction of dropped layers is about the rate", () => {
  const deep = decoder({ ...config, numLayers: 400, dropout: { layer: 0.25 } });
  let calls = 0;
  const layers = Array.from({ length: 400 }, () =>
    // A layer that runs reads its weights.
    Object.defineProperty({ ...params.layers[0]! }, "attention", {
      get: () => {
        calls += 1;
        return params.layers[0]!.attention;
      },
      enumerable: true,
    }),
  );
  deep.apply({ ...params, layers }, [1], { dropoutSeed: 3 });
  const callsWithDropout = calls;
  calls = 0;
  deep.apply({ ...params, layers }, [1]);
  expect(callsWithDropout / calls).toBeGreaterThan(0.68);
  expect(callsWithDropout / calls).toBeLessThan(0.82);
});

test.each<[string, Partial<DecoderConfig>]>([
  ["latent attention", { latent: { kvRank: 6, nopeDim: 4, ropeDim: 2, valueDim: 4 }, numKvHeads: 2 }],
  [
    "a mixer parallel to attention, and one in its place",
    {
      layerTypes: [
        { attention: "full", mixer: mixerLayer({ embedDim: 8, numHeads: 2, mixer: simpleGla() }) },
        mixerLayer({ embedDim: 8, numHeads: 2, mixer: simpleGla() }),
        "full",
      ],
    },
  ],
])("%s: dropout is equal for equal seeds and off without a seed", (_, more) => {
  const model = decoder({ ...config, ...more, dropout: all });
  const weights = model.init(1);
  const run = (dropoutSeed?: number) =>
    model.apply(weights, ids, dropoutSeed === undefined ? {} : { dropoutSeed }).data;
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run());
});

test("dropout of an encoder is equal for equal seeds and off without a seed", () => {
  const bert: EncoderConfig = {
    ...{ vocabSize: 13, embedDim: 8, hiddenDim: 12, numLayers: 3, numHeads: 2 },
    ...{ contextLength: 32, numTypes: 0, normEps: 1e-5 },
  };
  const [withDropout, withoutDropout] = [encoder({ ...bert, dropout: all }), encoder(bert)];
  const weights = withDropout.init(1);
  expect(withDropout.apply(weights, ids).data).toEqual(withoutDropout.apply(weights, ids).data);
  expect(withDropout.apply(weights, ids, { dropoutSeed: 1 }).data).not.toEqual(
    withDropout.apply(weights, ids).data,
  );
  expect(withDropout.apply(weights, ids, { dropoutSeed: 1 }).data).toEqual(
    withDropout.apply(weights, ids, { dropoutSeed: 1 }).data,
  );
});

test("a resumed run equals an uninterrupted run with dropout, and evaluation has no dropout", async () => {
  const model = decoder({ ...config, dropout: all });
  const loss = tokenLoss(model, { dropoutSeed: 11 });
  const text = Array.from({ length: 90 }, (_, i) => (i * i) % 13);
  const batchAt = nextTokenBatches(text, { batchSize: 2, contextLength: 6, seed: 1 });
  const fresh = () => ({
    ...{ params: model.init(1), loss, batchAt, accumulate: 2 },
    optimizer: adamW({ learningRate: 0.01 }),
  });
  const once = fresh();
  for await (const { step } of train({ ...once, steps: 4 })) void step;
  const first = fresh();
  let bytes = new Uint8Array();
  for await (const { params, state } of train({ ...first, steps: 2 }))
    bytes = (await writeCheckpoint({ params, state, notes: null })) as typeof bytes;
  const { notes: _, ...again } = await readCheckpoint<DecoderParams>(bytes);
  for await (const { step } of train({ ...first, ...again, steps: 4 })) void step;
  const numbers = (own: DecoderParams) => tensorsOf(own).map(({ data }) => data);
  expect(numbers(again.params)).toEqual(numbers(once.params));
  expect(await meanLoss(loss, once.params, [batchAt(0)])).toBe(
    await meanLoss(tokenLoss(plain), once.params, [batchAt(0)]),
  );
});

test("tokenLoss and distillationLoss drop out by batch number, with seed 0 by default", () => {
  const model = decoder({ ...config, dropout: all });
  const batch = nextTokenBatches(ids, { batchSize: 1, contextLength: 6, seed: 1 })(0);
  const teacher = () => plain.apply(params, batch.ids);
  for (const loss of [
    (number?: number) => tokenLoss(model)(params, batch, number).data[0],
    (number?: number) => distillationLoss(model, { teacher })(params, batch, number).data[0],
  ]) {
    expect(new Set([undefined, 0, 1, 2].map(loss)).size).toBe(4);
    expect(loss(1)).toBe(loss(1));
  }
  expect(tokenLoss(model)(params, batch).data).toEqual(tokenLoss(plain)(params, batch).data);
  expect(tokenLoss(model)(params, batch, 1).data).toEqual(
    tokenLoss(model, { dropoutSeed: 0 })(params, batch, 1).data,
  );
  expect(() => distillationLoss(model, { teacher, dropoutSeed: 0.5 })).toThrow(/`dropoutSeed` is 0.5/);
});

test("an exported configuration has no dropout", async () => {
  const fields = async (dropout: DropoutRates | undefined) => {
    const out = memoryFolder();
    await exportModel({ config: { ...config, ...(dropout && { dropout }) }, params }, { to: "hf", out });
    return out.files.find(({ name }) => name === "config.json")!.text();
  };
  expect(await fields(all)).toBe(await fields(undefined));
});

test.each<[string, unknown, RegExp]>([
  ["a rate of 1", { dropout: { residual: 1 } }, /decoder: `config.dropout.residual` is 1/],
  ["an unknown part", { dropout: { attn: 0.1 } }, /decoder: `attn` is 0.1/],
  ["a single rate", { dropout: 0.1 }, /`config.dropout` is 0.1/],
  [
    "layer dropout with shared keys and values",
    { dropout: { layer: 0.1 }, sharedKeyValues: [0, 0, 2] },
    /`config.dropout.layer` is 0.1, expected 0/,
  ],
])("%s is refused", (_, more, message) => {
  expect(() => decoder({ ...config, ...(more as Partial<DecoderConfig>) })).toThrow(message);
});

test("an invalid seed, and a seed together with a cache, are refused", () => {
  const model = decoder({ ...config, dropout: all });
  expect(() => model.apply(params, ids, { dropoutSeed: 0.5 })).toThrow(/decoder.apply: `dropoutSeed` is 0.5/);
  expect(() => model.apply(params, ids, { dropoutSeed: 1, cache: {} as never })).toThrow(
    /`dropoutSeed` is 1, expected none beside a cache/,
  );
});

test("layers of a call and batches of a run have different seeds", () => {
  const drops = callDropout({ residual: 0.1 }, 5, 3);
  expect(new Set([0, 1, 2].map((layer) => drops.ofLayer(layer).dropoutSeed)).size).toBe(3);
  expect(new Set([0, 1, 2, 3].map((number) => batchSeed(5, number))).size).toBe(4);
});
