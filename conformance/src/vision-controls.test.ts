import { js, mul, zeros, type Tensor } from "@qkv/tensor";
import {
  dualEncoder,
  loadDualEncoder,
  loadVision,
  visionTransformer,
  type DualEncoderConfig,
  type DualEncoderModel,
  type DualEncoderParams,
  type VisionModel,
  type VisionTransformerConfig,
  type VisionTransformerParams,
} from "@qkv/transformer";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import { expect, test } from "vitest";
import { ownData } from "../reference-data.mjs";
import type { Target } from "./case.js";
import { passes, type Check } from "./check.js";
import { compareVision } from "./families/hf-vision.js";
import { compareImage, type ImageEntry } from "./families/images.js";
import { modelFiles, modelFolder } from "./families/model-files.js";
import { readTensor } from "./reference-tensor.js";
import { toTensor } from "./to-tensor.js";

// Negative controls: an image model without a trait replaces that of a folder, and its cases must fail.
const target: Target = { device: js(), class: "host" };

type Entry = { name: string; inputs: unknown[]; outputs: unknown[] };

/** The folder of a model: in `hf/`, otherwise in `hf-more/`. */
const folderOf = (name: string): string => modelFolder(ownData, name);

/** The outputs that fail in a folder's cases with a model. */
async function failuresOf(folder: string, model: VisionModel | DualEncoderModel): Promise<string[]> {
  const { cases } = ownData.json(`${folderOf(folder)}/refs.json`) as { cases: Entry[] };
  const checks: Check[] = [];
  for (const { inputs, outputs } of cases)
    checks.push(...(await compareVision(model, inputs.map(readTensor), outputs.map(readTensor), target)));
  return [...new Set(checks.filter((check) => !passes(check)).map(({ output }) => output))];
}

type VisionChange = {
  config?: Partial<VisionTransformerConfig>;
  params?: (params: VisionTransformerParams) => VisionTransformerParams;
};

/** An image model with a changed configuration or changed weights. */
async function changedVision(folder: string, { config, params }: VisionChange): Promise<VisionModel> {
  const model = await loadVision(modelFiles(ownData, folderOf(folder)));
  const changed = { ...model.config, ...config };
  const { apply, pool } = visionTransformer(changed);
  return { ...model, config: changed, params: params?.(model.params) ?? model.params, apply, pool };
}

const none = (x: Tensor) => mul(x, 0);
const [rows, vector] = ["last_hidden_state", "pooler_output"];

test.each<[folder: string, trait: string, change: VisionChange, output: string]>([
  ["vit", "the class token", { params: (all) => ({ ...all, classToken: { weight: zeros([48]) } }) }, rows],
  [
    "vit",
    "positions",
    { params: (all) => ({ ...all, positions: { weight: none(all.positions.weight) } }) },
    rows,
  ],
  [
    "vit",
    "the bias of patches",
    { params: (all) => ({ ...all, patches: { weight: all.patches.weight } }) },
    rows,
  ],
  ["vit", "the norm after the last layer", { config: { finalNorm: "pooled" } }, rows],
  ["vit", "its number for norms", { config: { normEps: 0.1 } }, rows],
  [
    "vit",
    "the tanh of its pooler",
    { config: { head: { task: "pooler", labels: [], activation: "relu" } } },
    vector,
  ],
  ["vit-classifier", "the row of the class token", { config: { head: headOf("mean") } }, "logits"],
  ["vit-classifier", "probabilities that sum to 1", { config: { head: headOf("cls", "sigmoid") } }, "scores"],
  [
    "dinov2",
    "layer scales",
    {
      config: { layerScale: false },
      params: (all) => ({
        ...all,
        layers: all.layers.map(({ attention: { layerScale: _, ...attention }, ...more }) => ({
          ...more,
          attention,
        })),
      }),
    },
    rows,
  ],
  ["dinov2", "GELU", { config: { activation: "quickGelu" } }, rows],
  [
    "deit",
    "the distillation token",
    { params: (all) => ({ ...all, distillationToken: { weight: zeros([12]) } }) },
    rows,
  ],
  ["deit", "the tanh of its pooler", { config: { head: { task: "pooler", labels: [] } } }, vector],
  ["deit-classifier", "the row of the class token", { config: { head: tinyHead("patches") } }, "logits"],
  ["deit-with-teacher", "the second head", { config: { head: tinyHead("cls") } }, "logits"],
  [
    "deit-with-teacher",
    "a head of its own for each token",
    { params: (all) => ({ ...all, head: { ...all.head!, distillation: all.head!.output! } }) },
    "logits",
  ],
  [
    "dinov2-with-registers",
    "registers",
    { params: (all) => ({ ...all, registers: { weight: zeros([4, 12]) } }) },
    rows,
  ],
  [
    "dinov2-with-registers",
    "registers after the class token",
    {
      config: { registers: 0 },
      params: ({ registers: _, ...all }) => all,
    },
    rows,
  ],
  ["dinov2-with-registers", "positions of another grid", { config: { antialiasPositions: false } }, rows],
  ["dinov2-with-registers-classifier", "its registers", { config: { registers: 0 } }, "logits"],
  ["clip-classifier", "the mean of patches", { config: { head: tinyHead("mean") } }, "logits"],
  ["clip-classifier", "rows without the last norm", { config: { finalNorm: "rows" } }, "logits"],
  ["siglip-classifier", "the mean of all rows", { config: { head: tinyHead("patches") } }, "logits"],
  ["siglip-classifier", "rows after the last norm", { config: { finalNorm: "pooled" } }, "logits"],
])("hf/%s without %s fails", async (folder, _, change, output) => {
  expect(await failuresOf(folder, await changedVision(folder, {}))).toEqual([]);
  expect(await failuresOf(folder, await changedVision(folder, change))).toContain(output);
});

function headOf(pooling: "cls" | "mean", scores: "softmax" | "sigmoid" = "softmax") {
  return { task: "image", labels: ["cat", "dog", "bird", "fish", "horse"], pooling, scores } as const;
}

/** A head for the three labels of `hf-more/`. */
function tinyHead(pooling: "cls" | "mean" | "patches") {
  return { task: "image", labels: ["cat", "dog", "bird"], pooling } as const;
}

type DualChange = {
  config?: (config: DualEncoderConfig) => DualEncoderConfig;
  params?: (params: DualEncoderParams) => DualEncoderParams;
};

const ofVision =
  (change: Partial<VisionTransformerConfig>): NonNullable<DualChange["config"]> =>
  (all) => ({ ...all, vision: { ...all.vision, ...change } });
const ofText =
  (change: Partial<DualEncoderConfig["text"]>): NonNullable<DualChange["config"]> =>
  (all) => ({ ...all, text: { ...all.text, ...change } });

test.each<[folder: string, trait: string, change: DualChange, outputs: string[]]>([
  ["clip", "causal texts", { config: ofText({ causal: false }) }, ["text_embeds"]],
  [
    "clip",
    "the row of a text's end",
    { config: (all) => ({ ...all, textPooling: "last" }) },
    ["text_embeds"],
  ],
  ["clip", "its activation of texts", { config: ofText({ activation: "gelu" }) }, ["text_embeds"]],
  ["clip", "its activation of images", { config: ofVision({ activation: "gelu" }) }, ["image_embeds"]],
  [
    "clip",
    "the norm before the first layer",
    { config: ofVision({ embeddingNorm: false }) },
    ["image_embeds"],
  ],
  [
    "clip",
    "the scale of logits",
    { params: (all) => ({ ...all, logitScale: none(all.logitScale) }) },
    ["logits_per_image", "logits_per_text"],
  ],
  ["siglip", "texts that see both sides", { config: ofText({ causal: true }) }, ["text_embeds"]],
  [
    "siglip",
    "the row of a text's last token",
    { config: (all) => ({ ...all, textPooling: 0 }) },
    ["text_embeds"],
  ],
  [
    "siglip",
    "the learned query",
    {
      params: (all) => ({
        ...all,
        vision: { ...all.vision, pooling: { ...all.vision.pooling!, query: { weight: zeros([40]) } } },
      }),
    },
    ["image_embeds"],
  ],
  ["siglip", "the tanh form of GELU", { config: ofVision({ activation: "relu" }) }, ["image_embeds"]],
  [
    "siglip",
    "the bias of logits",
    { params: ({ logitBias: _, ...all }) => all },
    ["logits_per_image", "logits_per_text"],
  ],
])("hf/%s without %s fails", async (folder, _, change, outputs) => {
  const model = await loadDualEncoder(modelFiles(ownData, folderOf(folder)));
  expect(await failuresOf(folder, model)).toEqual([]);
  const config = change.config?.(model.config) ?? model.config;
  const { embedTexts, embedImages, logits } = dualEncoder(config);
  const params = change.params?.(model.params) ?? model.params;
  const failed = await failuresOf(folder, { ...model, config, params, embedTexts, embedImages, logits });
  expect(failed).toEqual(expect.arrayContaining(outputs));
});

const entries = ownData.json("images/preprocessing.json") as (ImageEntry & { name: string })[];

test.each<[name: string, change: Record<string, unknown>, outputs: string[]]>([
  ["clip_noise", { resample: 2 }, ["_resized", "pixel_values"]],
  ["vit_noise", { resample: 3 }, ["_resized", "pixel_values"]],
  ["siglip_blocks", { resample: 1 }, ["_resized", "pixel_values"]],
  ["lanczos_noise", { resample: 2 }, ["_resized", "pixel_values"]],
  ["nearest_noise", { resample: 4 }, ["_resized", "pixel_values"]],
  ["vit_gradient", { image_mean: [0.5, 0.5, 0.4] }, ["pixel_values"]],
  ["vit_gradient", { image_std: [0.5, 0.5, 0.4] }, ["pixel_values"]],
  ["vit_gradient", { rescale_factor: 1 / 256 }, ["pixel_values"]],
  ["clip_uneven_crop_noise", { crop_size: { height: 23, width: 24 } }, ["pixel_values"]],
])("images: %s with %o fails", async (name, change, outputs) => {
  const entry = entries.find((one) => one.name === name)!;
  const failed = async (attributes: Record<string, unknown>) =>
    (await compareImage({ ...entry, attributes }, target))
      .filter((check) => !passes(check))
      .map(({ output }) => output);
  expect(await failed(entry.attributes)).toEqual([]);
  expect(await failed({ ...entry.attributes, ...change })).toEqual(outputs);
});

test.each([
  ...["vit", "vit-classifier", "dinov2", "dinov2-classifier"],
  ...["deit", "deit-classifier", "deit-with-teacher"],
  ...["dinov2-with-registers", "dinov2-with-registers-classifier"],
])("hf/%s is exported, and loads as the same model", async (folder) => {
  const model = await loadVision(modelFiles(ownData, folderOf(folder)));
  const out = memoryFolder();
  await exportModel(model, { to: "hf", out });
  expect(await failuresOf(folder, await loadVision(out.files))).toEqual([]);
  const other = { ...model, config: { ...model.config, classToken: false, pooling: "attention" } as const };
  await expect(exportModel(other, { to: "hf", out: memoryFolder() })).rejects.toThrow(
    /`config` .*expected the traits of one of vit, deit, dinov2/,
  );
  await expect(exportModel(model, { to: "gguf", out: memoryFolder() })).rejects.toThrow(
    /`to` is "gguf", expected "hf" or "onnx" for an encoder of images/,
  );
});

test.each(["clip", "siglip"])("hf/%s is exported, and loads as the same models", async (folder) => {
  const files = modelFiles(ownData, folderOf(folder));
  const out = memoryFolder();
  await exportModel(await loadDualEncoder(files), { to: "hf", out });
  expect(await failuresOf(folder, await loadDualEncoder(out.files))).toEqual([]);
  // The image encoder alone, from the same file: its vector is the input of the projection.
  const [dual, alone] = [await loadDualEncoder(files), await loadVision(files)];
  expect(alone.config).toEqual(dual.config.vision);
  const half = memoryFolder();
  await exportModel(alone, { to: "hf", out: half });
  expect((await loadVision(half.files)).config).toEqual(alone.config);
});

test.each([
  ["vit-classifier", "int8", 0.02],
  ["dinov2", "int8", 0.02],
  ["vit-classifier", "int4", 0.3],
] as const)("hf/%s rounded to %s stays near", async (folder, quantize, limit) => {
  const files = modelFiles(ownData, folderOf(folder));
  const [{ inputs }] = (ownData.json(`${folderOf(folder)}/refs.json`) as { cases: [Entry] }).cases;
  const pixels = toTensor(readTensor(inputs[0]), target);
  const [exact, near] = [await loadVision(files), await loadVision(files, { quantize })].map(
    (model) => model.apply(model.params, pixels).data,
  );
  const length = (x: ArrayLike<number>) => Math.hypot(...Array.from(x));
  const difference = Array.from(exact!, (x, i) => Number(x) - Number(near![i]));
  const share = length(difference) / length(exact as Float32Array);
  expect(share).toBeGreaterThan(1e-4);
  expect(share).toBeLessThan(limit);
});
