import { randn, slice, sum, tensor, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { growingCache } from "@qkv/kv-cache";
import fc from "fast-check";
import { expect, test } from "vitest";
import { speechToText, type SpeechToTextConfig } from "./speech-to-text.js";

const layers = {
  ...{ embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, contextLength: 40 },
  placement: "pre",
} as const;
const whisperLike: SpeechToTextConfig = {
  ...layers,
  ...{ vocabSize: 11, startIds: [1], stopIds: [2] },
  encoder: {
    ...layers,
    inputChannels: 4,
    convolutions: [
      { channels: 8, kernelSize: 3, padding: 1, activation: "gelu" },
      { channels: 8, kernelSize: 3, padding: 1, stride: 2, activation: "gelu" },
    ],
  },
};
const rotary = { positions: "rotary", rope: { dim: 4, layout: "interleaved" }, bias: false } as const;
const moonshineLike: SpeechToTextConfig = {
  ...{ ...layers, ...rotary, gated: true, activation: "silu" },
  ...{ vocabSize: 11, startIds: [1], stopIds: [2] },
  encoder: {
    ...{ ...layers, ...rotary },
    inputChannels: 1,
    convolutions: [
      { channels: 8, kernelSize: 9, stride: 4, activation: "tanh", groupNorm: true, bias: false },
      { channels: 8, kernelSize: 3, stride: 2, activation: "gelu" },
    ],
  },
};
const near = { rtol: 0, atol: 1e-5 };

test.each([
  ["log-mel frames", whisperLike, [1, 4, 20], 10],
  ["samples", moonshineLike, [1, 90], 10],
] as const)("%s: logits token by token with a cache equal those of one call", (_, config, shape, rows) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      (ids, seed) => {
        const model = speechToText(config);
        const params = model.init(1);
        const source = model.encode(params, randn([...shape], { seed }));
        expect(source.rows.shape).toEqual([1, rows, 8]);
        const fullLogits = model.apply(params, ids, { source });
        const cache = growingCache({ numLayers: 2 });
        ids.forEach((id, t) => {
          const step = model.apply(params, [id], { source, cache });
          expect(step).toBeAllclose(slice(fullLogits, 1, t, t + 1), near);
        });
      },
    ),
    { numRuns: 8 },
  );
});

test("cross-attention weights are traced by name, and rows sum to 1", () => {
  const model = speechToText(whisperLike);
  const params = model.init(1);
  const tensors: Record<string, Tensor> = {};
  const source = model.encode(params, randn([2, 4, 20], { seed: 1 }), {
    trace: { names: ["encoder.layers.1.attention.weights"], tensors },
  });
  model.apply(
    params,
    tensor(
      [
        [1, 3, 5],
        [1, 4, 6],
      ],
      { dtype: "int32" },
    ),
    {
      source,
      trace: { names: ["decoder.layers.0.crossAttention.weights"], tensors },
    },
  );
  expect(tensors["encoder.layers.1.attention.weights"]!.shape).toEqual([2, 2, 10, 10]);
  const weights = tensors["decoder.layers.0.crossAttention.weights"]!;
  expect(weights.shape).toEqual([2, 2, 3, 10]);
  sum(weights, { axis: 3 }).data.forEach((total) => expect(total).toBeCloseTo(1, 5));
});

test("padded frames do not affect the logits", () => {
  const model = speechToText(whisperLike);
  const params = model.init(1);
  const features = randn([1, 4, 20], { seed: 1 });
  // The two convolutions of kernel size 3 give row 5 a receptive field up to frame 12.
  const other = randn([1, 4, 20], { seed: 2 });
  const mixed = tensor(
    Float32Array.from(features.data, (x, i) => (i % 20 < 13 ? x : other.data[i]!)),
    { shape: [1, 4, 20] },
  );
  const logits = (x: Tensor, padding?: number[]) =>
    model.apply(params, [1, 5], { source: model.encode(params, x, padding && { padding }) });
  expect(logits(mixed, [6])).toBeAllclose(logits(features, [6]), near);
  expect(logits(mixed).data[0]).not.toBeCloseTo(logits(features).data[0]!, 4);
});

test("features of another shape, and invalid configurations, are refused", () => {
  const model = speechToText(moonshineLike);
  const params = model.init(1);
  expect(model.leastFrames).toBe(17);
  expect(() => model.encode(params, randn([1, 16], { seed: 1 }))).toThrow(
    /^speechToText.encode: `features` has shape \[1, 16\], expected \[B, samples\] with 17 or more/,
  );
  const other = speechToText(whisperLike);
  expect(() => other.encode(other.init(1), randn([1, 5, 20], { seed: 1 }))).toThrow(
    /expected \[B, 4, frames\]/,
  );
  const { encoder } = whisperLike;
  expect(() => speechToText({ ...whisperLike, encoder: { ...encoder, convolutions: [] } })).toThrow(
    /`encoder.embedDim` is 8, expected 4, the channels of the last convolution/,
  );
  expect(() => model.encode(params, randn([1, 90], { seed: 1 }), { padding: [99] })).toThrow(/`padding` is/);
});
