import { padding } from "@qkv/attention";
import { matmul, randn, tensor, transpose, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { dualEncoder, type DualEncoderConfig } from "./dual-encoder.js";

const clip: DualEncoderConfig = {
  text: {
    ...{ vocabSize: 11, embedDim: 8, hiddenDim: 12, numLayers: 2, numHeads: 2, contextLength: 6 },
    ...{ numTypes: 0, normEps: 1e-5, placement: "pre", embeddingNorm: false, causal: true },
  },
  vision: {
    ...{ imageSize: 8, patchSize: 4, embedDim: 6, hiddenDim: 12, numLayers: 1, numHeads: 3, normEps: 1e-5 },
    ...{ embeddingNorm: true, finalNorm: "pooled", patchBias: false },
  },
  ...{ projectionDim: 4, textPooling: 10 },
};
const siglip: DualEncoderConfig = {
  text: { ...clip.text, causal: false },
  vision: {
    ...clip.vision,
    pooling: "attention",
    classToken: false,
    finalNorm: "rows",
    embeddingNorm: false,
  },
  ...{ projectionDim: 6, textPooling: "last", visionProjection: false, scores: "sigmoid" },
};
const pixels = randn([2, 3, 8, 8], { seed: 4 });
const ids = (...rows: number[][]) => tensor(rows, { dtype: "int32" });

test.each([
  ["CLIP", clip],
  ["SigLIP", siglip],
])("%s: embeddings have norm 1, and logits are scaled cosines of all pairs", (_, config) => {
  const model = dualEncoder(config);
  const params = model.init(1);
  const images = model.embedImages(params, pixels);
  const texts = model.embedTexts(params, ids([3, 1, 10], [5, 6, 10], [5, 2, 10]));
  for (const row of [images, texts].flatMap((x) => x.toNested() as number[][]))
    expect(Math.hypot(...row)).toBeCloseTo(1, 5);
  const cosines = matmul(images, transpose(texts)).data;
  const [factor, bias] = config.scores === "sigmoid" ? [10, -10] : [1 / 0.07, 0];
  const expected = [...cosines].map((x) => Number(x) * factor! + bias!);
  expect(model.logits(params, images, texts).shape).toEqual([2, 3]);
  expect(model.logits(params, images, texts).data).toBeAllclose(expected, { rtol: 0, atol: 1e-5 });
});

test("CLIP embeds a text at its first end token or largest id; later tokens have no effect", () => {
  for (const textPooling of [10, "largestId"] as const) {
    const model = dualEncoder({ ...clip, textPooling });
    const params = model.init(1);
    const short = model.embedTexts(params, [3, 1, 10]);
    const long = model.embedTexts(params, ids([3, 1, 10, 0, 0], [3, 1, 10, 7, 10]));
    for (const row of long.toNested() as number[][])
      expect(row).toBeAllclose([...short.data].map(Number), { rtol: 0, atol: 1e-6 });
    expect(model.embedTexts(params, [4, 1, 10]).data).not.toEqual(short.data);
  }
});

test("SigLIP embeds a text at its last token, which attends to all tokens that the mask allows", () => {
  const model = dualEncoder(siglip);
  const params = model.init(1);
  const padded = ids([3, 1, 5, 2]);
  expect(model.embedTexts(params, padded).data).not.toEqual(model.embedTexts(params, ids([3, 1, 7, 2])).data);
  const masked = model.embedTexts(params, padded, { mask: padding([2]) });
  expect(masked.data).toBeAllclose(
    [...model.embedTexts(params, ids([3, 1, 7, 2]), { mask: padding([2]) }).data].map(Number),
    { rtol: 0, atol: 1e-6 },
  );
});

test("names of traced tensors have the encoder and the layer", () => {
  const model = dualEncoder(siglip);
  const params = model.init(1);
  const tensors: Record<string, Tensor> = {};
  const trace = { names: ["weights"], tensors } as const;
  model.embedTexts(params, [1, 2], { trace });
  model.embedImages(params, pixels, { trace });
  expect(Object.keys(tensors)).toEqual([
    "text.layers.0.attention.weights",
    "text.layers.1.attention.weights",
    "image.layers.0.attention.weights",
    "image.pooling.attention.weights",
  ]);
});

test.each<[Partial<DualEncoderConfig>, RegExp]>([
  [{ textPooling: "first" as never }, /`textPooling` is "first", expected "last", "largestId" or a token id/],
  [{ visionProjection: false }, /`projectionDim` is 4, expected vision\.embedDim = 6/],
  [{ scores: "none" as never }, /`scores` is "none"/],
])("the configuration %o is refused", (change, message) => {
  expect(() => dualEncoder({ ...clip, ...change })).toThrow(message);
});

test("logits refuses embeddings of another dimension", () => {
  const model = dualEncoder(clip);
  const params = model.init(1);
  expect(() => model.logits(params, randn([1, 3], { seed: 1 }), randn([1, 4], { seed: 1 }))).toThrow(
    /^dualEncoder\.logits: `images` .*expected vectors \[B, 4\]/,
  );
});
