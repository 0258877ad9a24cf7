import {
  cast,
  checkGradient,
  mapTensors,
  mul,
  ones,
  randn,
  slice,
  sum,
  tensorsOf,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { encoder, type EncoderConfig } from "./encoder.js";

const base: EncoderConfig = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 12, numLayers: 4, numHeads: 2, contextLength: 16 },
  ...{ numTypes: 2, normEps: 1e-12 },
};
const ids = [3, 1, 4, 1, 5, 9, 2, 6];
const computeRows = (config: EncoderConfig, params = encoder(config).init(1)) =>
  encoder(config).apply(params, ids).data;

test.each<[string, Partial<EncoderConfig>]>([
  ["narrow embeddings", { embeddingRank: 4 }],
  ["rotary positions", { positions: "rotary" }],
  ["relative position bias", { relativeBias: { numBuckets: 8, maxDistance: 8 } }],
  ["ALiBi", { positions: "alibi" }],
  ["no positions", { positions: "none" }],
  ["disentangled attention", { disentangled: { numDistances: 4, terms: ["c2p", "p2c"], norm: true } }],
  [
    "disentangled attention with shared projections",
    { disentangled: { numDistances: 4, terms: ["c2p"], sharedProjections: true } },
  ],
  ["token dropout", { tokenDropout: { maskId: 1, padId: 0 } }],
  ["pre-norm", { placement: "pre" }],
  ["gated feed-forward layers", { gated: true }],
  ["sliding windows", { layerTypes: ["full", "sliding", "sliding", "full"], window: 3 }],
  ["shared layers", { layerGroups: 2 }],
])("%s: initial params suffice for a call, and the rows differ from the default", (_, traits) => {
  const config = { ...base, ...traits };
  const rows = computeRows(config);
  expect(rows).toHaveLength(ids.length * 8);
  expect(rows.every(Number.isFinite)).toBe(true);
  expect(rows).not.toEqual(computeRows(base));
});

test("explicit BERT options equal the defaults", () => {
  const same = {
    positions: "learned",
    placement: "post",
    gated: false,
    bias: true,
    firstLayerNorm: true,
  } as const;
  expect(computeRows({ ...base, ...same })).toEqual(computeRows(base));
});

test("with `bias: false` no linear layer and no norm has a bias", () => {
  const { init } = encoder({ ...base, bias: false, placement: "pre", embeddingRank: 4 });
  const { maskedTokenHead: _, ...params } = init(1);
  expect(JSON.stringify(params)).not.toContain('"bias":');
  expect(params.layers[0]!.attentionNorm.bias).toBeUndefined();
});

test("disentangled attention: token order has an effect only with nonzero distance embeddings", () => {
  const config = {
    ...base,
    positions: "none",
    numTypes: 0,
    disentangled: { numDistances: 4, terms: ["c2p"] },
  } as const;
  const model = encoder(config);
  const params = model.init(1);
  const zeroed = { ...params, distances: { weight: zeros([8, 8]) } };
  const swapped = [1, 3, ...ids.slice(2)];
  const rowAt = (from: Tensor, position: number) =>
    slice(slice(from, 0, 0, 1), 1, position, position + 1).data;
  expect(rowAt(model.apply(zeroed, swapped), 7)).toBeAllclose(rowAt(model.apply(zeroed, ids), 7), {
    ...{ rtol: 0, atol: 1e-6 },
  });
  const random = { ...params, distances: { weight: randn([8, 8], { seed: 3 }) } };
  expect(rowAt(model.apply(random, swapped), 4)).not.toBeAllclose(rowAt(model.apply(random, ids), 4), {
    ...{ rtol: 0, atol: 1e-3 },
  });
});

test("gradients of distance embeddings and of their key projection equal central differences", () => {
  const config = { ...base, numLayers: 1, disentangled: { numDistances: 3, terms: ["c2p", "p2c"] } } as const;
  const model = encoder(config);
  const params = mapTensors(model.init(1), (x) => cast(x, "float64"));
  const dy = randn([1, ids.length, 8], { seed: 5, dtype: "float64" });
  const loss = (distances: Tensor) =>
    sum(mul(model.apply({ ...params, distances: { weight: distances } }, ids), dy));
  checkGradient(loss, randn([6, 8], { seed: 6, dtype: "float64" }));
  const [layer] = params.layers;
  const withKey = (weight: Tensor) => {
    const attention = { ...layer!.attention, distanceKey: { weight } };
    const distances = { weight: randn([6, 8], { seed: 6, dtype: "float64" }) };
    return sum(mul(model.apply({ ...params, distances, layers: [{ ...layer!, attention }] }, ids), dy));
  };
  checkGradient(withKey, layer!.attention.distanceKey!.weight);
});

test("golden: token dropout zeros mask tokens and scales the others by the mask ratio", () => {
  const config = { ...base, numLayers: 0, positions: "none", numTypes: 0, embeddingNorm: false } as const;
  const table = { weight: ones([11, 8]) };
  const model = encoder({ ...config, tokenDropout: { maskId: 1, padId: 0 } });
  const params = { ...model.init(1), embedding: table };
  // By hand: the mask ratio of [3, 1, 4, 5] is 1/4 and that of training 0.12: (1 - 0.12) / (1 - 0.25); padding is not counted.
  const rows = model.apply(params, [3, 1, 4, 5, 0]);
  const first = Array.from({ length: 5 }, (_, t) => Number(rows.data[8 * t]));
  expect(first).toBeAllclose([0.88 / 0.75, 0, 0.88 / 0.75, 0.88 / 0.75, 0.88 / 0.75], {
    rtol: 0,
    atol: 1e-6,
  });
});

test("layers of a group share their weights", () => {
  const [grouped, separate] = [encoder({ ...base, layerGroups: 2 }), encoder(base)];
  const params = grouped.init(1);
  expect(params.layers).toHaveLength(2);
  const [a, b] = params.layers;
  const copied = { ...separate.init(1), layers: [a!, a!, b!, b!] };
  expect(grouped.apply(params, ids).data).toEqual(separate.apply(copied, ids).data);
  expect(tensorsOf(params).length).toBeLessThan(tensorsOf(copied).length);
});

test("with `firstLayerNorm: false` the first layer has no attention norm", () => {
  const config = { ...base, placement: "pre", firstLayerNorm: false } as const;
  const params = encoder(config).init(1);
  expect(params.layers.map(({ attentionNorm }) => attentionNorm !== undefined)).toEqual([
    false,
    true,
    true,
    true,
  ]);
  const [first, ...others] = params.layers;
  const normed = { ...params, layers: [{ ...first!, attentionNorm: others[0]!.attentionNorm }, ...others] };
  expect(computeRows(config, params)).not.toEqual(computeRows({ ...config, firstLayerNorm: true }, normed));
});

test.each<[Partial<EncoderConfig>, RegExp]>([
  [{ layerTypes: ["full"] }, /`layerTypes` .*each of the 4 layers/],
  [{ layerTypes: ["full", "full", "full", "sliding"] }, /`window` is undefined, expected an odd number/],
  [{ window: 4 }, /`window` is 4, expected an odd number/],
  [{ layerGroups: 3 }, /`layerGroups` is 3, expected a divisor of numLayers = 4/],
  [{ firstLayerNorm: false }, /`firstLayerNorm` is false, expected true/],
  [{ positions: "sinusoidal" as never }, /`positions` is "sinusoidal"/],
  [{ placement: "both" as never }, /`placement` is "both"/],
  [{ embeddingRank: 0 }, /`embeddingRank` is 0/],
  [{ relativeBias: { numBuckets: 0, maxDistance: 8 } }, /`relativeBias.numBuckets` is 0/],
  [{ disentangled: { numDistances: 0, terms: [] } }, /`disentangled.numDistances` is 0/],
  [{ disentangled: { numDistances: 4, maxDistance: 4, terms: [] } }, /`disentangled.maxDistance` is 4/],
  [{ disentangled: { numDistances: 4, terms: ["p2p" as never] } }, /`disentangled.terms.* "p2p"/],
  [{ tokenDropout: { maskId: 11, padId: 0 } }, /`tokenDropout.maskId` is 11/],
  [{ slidingRopeBase: -1 }, /`slidingRopeBase` is -1/],
  [{ head: { task: "sentence" as never, labels: [] } }, /`head.task` is "sentence"/],
  [{ head: { task: "span", labels: ["start"] } }, /`head.labels` .*two labels: start and end/],
  [{ head: { task: "pooler", labels: ["a"] } }, /`head.labels` .*no labels/],
])("%o is refused", (traits, message) => {
  expect(() => encoder({ ...base, ...traits })).toThrow(message);
});
