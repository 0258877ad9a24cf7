import { gatedDeltaRule, mixerLayer, ssd, type MixerLayer } from "@qkv/attention";
import { matmul, randn, sum, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import {
  decoder,
  encoderDecoder,
  feedForward,
  speechToText,
  type DecoderConfig,
  type MixtureOfExpertsParams,
} from "@qkv/transformer";
import { expect, test } from "vitest";
import { inFloat64, type LensModel } from "../lens-model.js";
import { runWithTrace } from "../run-with-trace.js";
import { crossAttentionMaps } from "./cross-attention-maps.js";
import { expertRouting } from "./expert-routing.js";
import { impliedMaps } from "./implied-maps.js";

const ids = [3, 1, 4, 1, 5];
const sizes = { vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 3, numHeads: 2, numKvHeads: 1 };
const base: DecoderConfig = { ...sizes, contextLength: 32, normEps: 1e-5, stopIds: [] };
const createModel = (config: DecoderConfig): LensModel => {
  const { init, apply } = decoder(config);
  return inFloat64({ config, params: init(1), apply });
};

test("implied maps times values are the outputs of heads, for mixers alone and parallel to attention", () => {
  const delta = mixerLayer({ embedDim: 8, numHeads: 2, mixer: gatedDeltaRule(), convolution: 3 });
  const state = mixerLayer({ embedDim: 8, numHeads: 4, mixer: ssd(), numKeyHeads: 1 });
  const hybrid = { attention: "full", mixer: state } as const;
  const model = createModel({ ...base, layerTypes: [delta, "full", hybrid] as never });
  const maps = impliedMaps(model, ids);
  expect(Object.keys(maps)).toEqual([
    "layers.0.attention.impliedWeights",
    "layers.2.attention.impliedWeights",
  ]);
  const { tensors } = runWithTrace(model, ids);
  for (const [i, layer] of [
    [0, delta],
    [2, state],
  ] as const) {
    const weights = maps[`layers.${i}.attention.impliedWeights`]!;
    const own = model.params.layers[i]!.attention as unknown as { mixer?: object };
    const x = tensors[`layers.${i}.attentionInput`]!;
    const mixer = layer as unknown as MixerLayer;
    const heads: Record<string, Tensor> = {};
    mixer.apply((own.mixer ?? own) as never, x, { trace: { names: ["heads"], tensors: heads } });
    const { value } = mixer.impliedWeights((own.mixer ?? own) as never, x);
    expect(matmul(weights, value)).toBeAllclose(heads["heads"]!, { rtol: 0, atol: 1e-10 });
  }
  expect(Object.keys(impliedMaps(model, ids, { layers: [2] }))).toHaveLength(1);
  expect(() => impliedMaps(model, ids, { layers: [1] })).toThrow(
    /impliedMaps: `layers` is 1, expected layers that imply a map\.\nFix: choose from 0, 2\./,
  );
  const types = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? delta : "full"));
  const deep = createModel({ ...base, numLayers: 20, layerTypes: types as never });
  expect(() => impliedMaps(deep, ids, { layers: [15] })).toThrow(
    "Fix: choose from 12, 14, 16, … (`model.config.layerTypes` lists all 10).",
  );
});

test("a model without mixers implies no map", () => {
  expect(() => impliedMaps(createModel(base), ids)).toThrow(/impliedMaps: .*expected a model with a mixer/);
});

test("the outputs of a token's experts, times their weights, sum to the feed-forward output", () => {
  const config = { ...base, experts: { numExperts: 5, expertsPerToken: 2, layers: [true, false, true] } };
  const model = createModel(config);
  const routing = expertRouting(model, ids);
  expect(routing.map(({ layer }) => layer)).toEqual([0, 2]);
  const { tensors } = runWithTrace(model, ids);
  const expert = feedForward({ embedDim: 8, hiddenDim: 16 });
  for (const { layer, experts, weights } of routing) {
    const own = model.params.layers[layer]!.feedForward as MixtureOfExpertsParams;
    const x = tensors[`layers.${layer}.feedForwardInput`]!;
    const outputs = own.experts.map((params) => expert.apply(params, x).data);
    const sums = Array.from({ length: 5 * 8 }, (_, i) => {
      const t = Math.floor(i / 8);
      return [0, 1].reduce(
        (sum, k) => sum + weights.data[2 * t + k]! * outputs[experts.data[2 * t + k]!]![i]!,
        0,
      );
    });
    expect(tensors[`layers.${layer}.feedForwardOutput`]!.data).toBeAllclose(sums, { rtol: 0, atol: 1e-12 });
  }
});

test("a model without experts is refused", () => {
  expect(() => expertRouting(createModel(base), ids)).toThrow(
    /expertRouting: .*expected a model with a mixture/,
  );
});

const layers = { embedDim: 8, hiddenDim: 16, numHeads: 2, contextLength: 20 };
/** Each row sums to 1. */
const expectWeights = (map: Tensor, shape: readonly number[]) => {
  expect(map.shape).toEqual(shape);
  sum(map, { axis: -1 }).data.forEach((total) => expect(total).toBeCloseTo(1, 5));
};

test("cross-attention maps have a row for each target token and a column for each source token", () => {
  const { init, encode, apply } = encoderDecoder({
    ...{ ...layers, vocabSize: 11, numLayers: 2 },
    ...{ startIds: [2], stopIds: [2] },
  });
  const params = init(1);
  const maps = crossAttentionMaps({ params, apply }, [2, 7, 1], [3, 1, 4, 1]);
  expect(Object.keys(maps)).toEqual([0, 1].map((i) => `decoder.layers.${i}.crossAttention.weights`));
  for (const map of Object.values(maps)) expectWeights(map, [1, 2, 3, 4]);
  const encoded = crossAttentionMaps({ params, apply }, [2, 7, 1], encode(params, [3, 1, 4, 1]));
  for (const name in maps) expect(encoded[name]!.data).toEqual(maps[name]!.data);
});

test("cross-attention maps of a speech model have a column for each audio frame", () => {
  const { init, encode, apply } = speechToText({
    ...{ ...layers, numLayers: 1, placement: "pre", vocabSize: 11, startIds: [1], stopIds: [2] },
    encoder: {
      ...{ ...layers, numLayers: 1, placement: "pre", inputChannels: 4 },
      convolutions: [
        { channels: 8, kernelSize: 3, padding: 1, activation: "gelu" },
        { channels: 8, kernelSize: 3, padding: 1, stride: 2, activation: "gelu" },
      ],
    },
  });
  const params = init(1);
  const source = encode(params, randn([1, 4, 40], { seed: 2 }));
  const maps = crossAttentionMaps({ params, apply }, [1, 5, 3], source);
  expect(Object.keys(maps)).toEqual(["decoder.layers.0.crossAttention.weights"]);
  expectWeights(maps["decoder.layers.0.crossAttention.weights"]!, [1, 2, 3, 20]);
});

test("a model without cross-attention, and values that are not ids, are refused", () => {
  const { params, apply } = createModel(base);
  expect(() => crossAttentionMaps({ params, apply } as never, [1], [2])).toThrow(
    'crossAttentionMaps: `model` is "a model of one stack, which has no cross-attention", expected an encoder–decoder with its weights.\nFix: for the maps of self-attention write `runWithTrace(model, ids, { names: ["weights"] })`.',
  );
  const own = { params: { table: randn([3, 2], { seed: 1 }) }, apply: () => randn([1, 1, 3], { seed: 1 }) };
  expect(() => crossAttentionMaps(own, [1], [2])).toThrow(
    /`model` is "a model whose trace has no cross-attention"/,
  );
  expect(() => crossAttentionMaps(own, "a" as never, [2])).toThrow(
    /crossAttentionMaps: `ids` is "a", expected a list of token ids/,
  );
});
