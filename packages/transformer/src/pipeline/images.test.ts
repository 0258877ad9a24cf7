import { bertTokenizer } from "@qkv/tokenizer";
import { js, reshape, type Tensor } from "@qkv/tensor";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import { expect, test } from "vitest";
import {
  dualEncoderArchitectures,
  visionArchitectures,
} from "../architectures/vision/vision-architectures.js";
import { imageLoaders } from "../checkpoints/hugging-face/image-loaders.js";
import { imageProcessor } from "../images/image-processor.js";
import { load } from "../load.js";
import { loadVision } from "../load-vision.js";
import { dualEncoder, type DualEncoderConfig } from "../models/dual-encoder.js";
import type { DualEncoderModel, VisionModel } from "../models/model.js";
import { labelScores, taskLogits } from "../models/task-head.js";
import { visionTransformer } from "../models/vision-transformer.js";
import { pipeline } from "./pipeline.js";

const processor = imageProcessor({
  resize: { width: 8, height: 8 },
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
});
const sizes = {
  imageSize: 8,
  patchSize: 4,
  embedDim: 8,
  hiddenDim: 12,
  numLayers: 1,
  numHeads: 2,
  normEps: 1e-6,
};
const head = { task: "image", labels: ["cat", "dog", "fish"] } as const;

function visionModel(config: Parameters<typeof visionTransformer>[0]): VisionModel {
  const { init, apply, pool } = visionTransformer(config);
  return { config, params: init(1), tokenizer: undefined, processor, apply, pool };
}
const classifier = visionModel({ ...sizes, head });
const image = (seed: number) => ({
  data: Uint8ClampedArray.from({ length: 4 * 10 * 6 }, (_, i) => (i * 31 + seed * 57) % 256),
  width: 10,
  height: 6,
});

test("image-classification: labels with their probabilities, in descending order", async () => {
  const classify = await pipeline("image-classification", classifier);
  const [firstImage, secondImage] = [image(1), image(2)];
  const scores = labelScores(
    head,
    taskLogits(classifier, classifier.apply(classifier.params, processor.apply(firstImage))),
  );
  const all = await classify(firstImage, { top_k: null });
  expect(all.map(({ score }) => score)).toEqual([...scores.data].map(Number).sort((a, b) => b - a));
  expect(all.map(({ label }) => label).sort()).toEqual(["cat", "dog", "fish"]);
  const both = await classify([firstImage, secondImage], { top_k: 1 });
  expect(both).toEqual([[all[0]], await classify(secondImage, { top_k: 1 })]);
  expect(classify.processor).toBe(processor);
  expect(classify.task).toBe("image-classification");
});

test("image-feature-extraction: hidden states of all tokens, or one pooled vector per image", async () => {
  const extract = await pipeline("image-feature-extraction", visionModel(sizes));
  const rows = await extract([image(1), image(2)]);
  expect(rows.dims).toEqual([2, 5, 8]);
  const pooled = await extract(image(1), { pool: true });
  expect(pooled.dims).toEqual([1, 8]);
  expect([...pooled.data]).toEqual([...rows[0]![0]!.data]);
});

const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "this", "is", "a", "photo", "of", "cat", "dog"];
const tokenizer = bertTokenizer(words.join("\n"));
function dualEncoderModel(change: Partial<DualEncoderConfig>): DualEncoderModel {
  const config: DualEncoderConfig = {
    text: {
      ...{
        vocabSize: words.length,
        embedDim: 8,
        hiddenDim: 12,
        numLayers: 1,
        numHeads: 2,
        contextLength: 12,
      },
      ...{ numTypes: 0, normEps: 1e-5, placement: "pre", embeddingNorm: false },
    },
    vision: sizes,
    ...{ projectionDim: 8, textPooling: 3 },
    ...change,
  };
  const { init, embedTexts, embedImages, logits } = dualEncoder(config);
  return { config, params: init(2), tokenizer, processor, embedTexts, embedImages, logits };
}

test("zero-shot-image-classification: softmax over the labels, or a sigmoid of each", async () => {
  const softmax = await pipeline("zero-shot-image-classification", dualEncoderModel({}));
  const found = await softmax(image(1), ["cat", "dog"]);
  expect(found.map(({ label }) => label).sort()).toEqual(["cat", "dog"]);
  expect(found[0]!.score + found[1]!.score).toBeCloseTo(1, 6);
  expect(found[0]!.score).toBeGreaterThanOrEqual(found[1]!.score);
  const [withTemplate] = await softmax([image(1)], ["cat", "dog"], { hypothesis_template: "a {}" });
  expect(withTemplate).toHaveLength(2);
  expect(withTemplate).not.toEqual(found);

  const model = dualEncoderModel({ textPooling: "last", scores: "sigmoid" });
  const sigmoid = await pipeline("zero-shot-image-classification", model);
  const each = await sigmoid(image(1), ["cat"]);
  // As in training, texts are padded to the context.
  const ids = tokenizer.encode("This is a photo of cat");
  const padded = [...ids, ...new Array<number>(12 - ids.length).fill(0)];
  const { params } = model;
  const images = model.embedImages(params, processor.apply(image(1)));
  const logit = Number(model.logits(params, images, model.embedTexts(params, padded)).data[0]);
  expect(each[0]!.score).toBeCloseTo(1 / (1 + Math.exp(-logit)), 6);
});

test("models of another kind and models without a processor are refused, with the fix", async () => {
  const { processor: _, ...bare } = classifier;
  await expect(pipeline("image-classification", bare)).rejects.toThrow(
    /a model without a processor.*\nFix: put `preprocessor_config\.json`/,
  );
  await expect(pipeline("image-classification", visionModel(sizes))).rejects.toThrow(
    /without a head for labels/,
  );
  await expect(pipeline("image-classification", dualEncoderModel({}))).rejects.toThrow(
    /expected a vision transformer/,
  );
  await expect(pipeline("zero-shot-image-classification", classifier)).rejects.toThrow(
    /expected an encoder of texts and images/,
  );
  const zero = await pipeline("zero-shot-image-classification", dualEncoderModel({}));
  await expect(zero(image(1), ["cat"], { hypothesis_template: "no place" })).rejects.toThrow(
    /`hypothesis_template`/,
  );
  await expect(zero(image(1), [])).rejects.toThrow(/one label or more/);
});

test("a folder loads with its processor, and other loaders name `loadVision`", async () => {
  const { params } = classifier;
  const C = sizes.embedDim;
  const { attention, feedForward, attentionNorm, feedForwardNorm } = params.layers[0]!;
  const maps = (name: string, { weight, bias }: { weight: unknown; bias?: unknown }) => ({
    [`${name}.weight`]: weight,
    [`${name}.bias`]: bias,
  });
  const layer = "vit.encoder.layer.0";
  const tensors = {
    ...maps("vit.embeddings.patch_embeddings.projection", params.patches),
    ...maps(`${layer}.attention.attention.query`, attention.query),
    ...maps(`${layer}.attention.attention.key`, attention.key),
    ...maps(`${layer}.attention.attention.value`, attention.value),
    ...maps(`${layer}.attention.output.dense`, attention.output),
    ...maps(`${layer}.layernorm_before`, attentionNorm),
    ...maps(`${layer}.layernorm_after`, feedForwardNorm),
    ...maps(`${layer}.intermediate.dense`, feedForward.up),
    ...maps(`${layer}.output.dense`, feedForward.down),
    ...maps("vit.layernorm", params.finalNorm),
    ...maps("classifier", params.head!.output!),
  } as Record<string, Tensor>;
  const stored = {
    ...tensors,
    "vit.embeddings.cls_token": reshape(params.classToken!.weight, [1, 1, C]),
    "vit.embeddings.position_embeddings": reshape(params.positions.weight, [1, 5, C]),
  };
  const config = {
    ...{ model_type: "vit", architectures: ["ViTForImageClassification"], image_size: 8, patch_size: 4 },
    ...{
      num_channels: 3,
      hidden_size: C,
      intermediate_size: 12,
      num_hidden_layers: 1,
      num_attention_heads: 2,
    },
    ...{ layer_norm_eps: 1e-6, id2label: { 0: "cat", 1: "dog", 2: "fish" } },
  };
  const steps = { size: 8, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
  const json = (name: string, value: unknown) => new File([JSON.stringify(value)], name);
  const files = [
    json("config.json", config),
    json("preprocessor_config.json", steps),
    new File([(await writeSafetensors(stored)) as BlobPart], "model.safetensors"),
  ];
  const model = await loadVision(files, { device: js() });
  const fromFolder = await pipeline("image-classification", files);
  const fromModel = await pipeline("image-classification", classifier);
  expect(await fromFolder(image(3))).toEqual(await fromModel(image(3)));
  expect(model.config.head).toEqual(head);
  const rounded = await loadVision(files, { quantize: "int8" });
  const [exact, near] = [model, rounded].map((candidate) =>
    candidate.apply(candidate.params, processor.apply(image(3))),
  );
  const error = exact!.data.map((x, i) => Math.abs(Number(x) - Number(near!.data[i]))) as Float32Array;
  expect(Math.max(...error)).toBeGreaterThan(0);
  expect(Math.max(...error)).toBeLessThan(0.1);
  await expect(load(files)).rejects.toThrow(/model_type` is "vit".*\nFix: load it with `loadVision`/);
  const bert = [json("config.json", { ...config, model_type: "bert" }), files[2]!];
  await expect(loadVision(bert)).rejects.toThrow(/model_type` is "bert", expected one of vit, deit, dinov2/);
  await expect(loadVision(new Uint8Array(8))).rejects.toThrow(/expected a folder of Hugging Face/);
});

test("imageLoaders lists the loader of each image model type", () => {
  const types = (tables: readonly { readonly modelTypes: readonly string[] }[]) =>
    tables.flatMap(({ modelTypes }) => modelTypes);
  const dual = types(dualEncoderArchitectures);
  const vision = types(visionArchitectures).filter((type) => !dual.includes(type));
  expect(imageLoaders).toEqual(
    Object.fromEntries([
      ...vision.map((type) => [type, "loadVision"]),
      ...dual.map((type) => [type, "loadDualEncoder"]),
    ]),
  );
});
