import { tensorsOf } from "@qkv/tensor";
import { expect, test } from "vitest";
import { encoder, type EncoderConfig } from "./encoder.js";

const base: EncoderConfig = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 12, numLayers: 4, numHeads: 2, contextLength: 16 },
  ...{ numTypes: 2, normEps: 1e-12 },
};
const ids = [3, 1, 4, 1, 5, 9, 2, 6];
const rowsOf = (config: EncoderConfig, params = encoder(config).init(1)) =>
  encoder(config).apply(params, ids).data;

test.each<[string, Partial<EncoderConfig>]>([
  ["narrow embeddings", { embeddingRank: 4 }],
  ["rotary positions", { positions: "rotary" }],
  ["a bias for distances", { relativeBias: { numBuckets: 8, maxDistance: 8 } }],
  ["norms before each part", { placement: "pre" }],
  ["gates", { gated: true }],
  ["a window", { layerTypes: ["full", "sliding", "sliding", "full"], window: 3 }],
  ["shared layers", { layerGroups: 2 }],
])("%s: random weights have what the call reads, and change the rows", (_, traits) => {
  const config = { ...base, ...traits };
  const rows = rowsOf(config);
  expect(rows).toHaveLength(ids.length * 8);
  expect(rows.every(Number.isFinite)).toBe(true);
  expect(rows).not.toEqual(rowsOf(base));
});

test("the defaults are BERT's", () => {
  const same = {
    positions: "learned",
    placement: "post",
    gated: false,
    bias: true,
    firstLayerNorm: true,
  } as const;
  expect(rowsOf({ ...base, ...same })).toEqual(rowsOf(base));
});

test("without biases no map and no norm has one", () => {
  const { init } = encoder({ ...base, bias: false, placement: "pre", embeddingRank: 4 });
  const { maskedTokenHead: _, ...params } = init(1);
  expect(JSON.stringify(params)).not.toContain('"bias":');
  expect(params.layers[0]!.attentionNorm.bias).toBeUndefined();
});

test("layers of a group have one set of weights", () => {
  const [grouped, own] = [encoder({ ...base, layerGroups: 2 }), encoder(base)];
  const params = grouped.init(1);
  expect(params.layers).toHaveLength(2);
  const [a, b] = params.layers;
  const copied = { ...own.init(1), layers: [a!, a!, b!, b!] };
  expect(grouped.apply(params, ids).data).toEqual(own.apply(copied, ids).data);
  expect(tensorsOf(params).length).toBeLessThan(tensorsOf(copied).length);
});

test("a first layer without a norm reads embeddings as they are", () => {
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
  expect(rowsOf(config, params)).not.toEqual(rowsOf({ ...config, firstLayerNorm: true }, normed));
});

test.each<[Partial<EncoderConfig>, RegExp]>([
  [{ layerTypes: ["full"] }, /`layerTypes` .*each of the 4 layers/],
  [{ layerTypes: ["full", "full", "full", "sliding"] }, /`window` is undefined, expected an odd number/],
  [{ window: 4 }, /`window` is 4, expected an odd number/],
  [{ layerGroups: 3 }, /`layerGroups` is 3, expected a divisor of numLayers = 4/],
  [{ firstLayerNorm: false }, /`firstLayerNorm` is false, expected true/],
  [{ positions: "alibi" as never }, /`positions` is "alibi"/],
  [{ placement: "both" as never }, /`placement` is "both"/],
  [{ embeddingRank: 0 }, /`embeddingRank` is 0/],
  [{ relativeBias: { numBuckets: 0, maxDistance: 8 } }, /`relativeBias.numBuckets` is 0/],
  [{ slidingRopeBase: -1 }, /`slidingRopeBase` is -1/],
  [{ head: { task: "sentence" as never, labels: [] } }, /`head.task` is "sentence"/],
  [{ head: { task: "span", labels: ["start"] } }, /`head.labels` .*two labels: start and end/],
  [{ head: { task: "pooler", labels: ["a"] } }, /`head.labels` .*no labels/],
])("%o is refused", (traits, message) => {
  expect(() => encoder({ ...base, ...traits })).toThrow(message);
});
