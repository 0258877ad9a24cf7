import { maskTensor } from "@qkv/attention";
import { cast, expandDims, slice, transpose, type Tensor } from "@qkv/tensor";
import {
  labelScores,
  loadDualEncoder,
  loadVision,
  taskLogits,
  type DualEncoderModel,
  type VisionModel,
} from "@qkv/transformer";
import type { DataFolder } from "../../data-folder.mjs";
import type { Case, Target } from "../case.js";
import { compareNumbers, mismatch, type Check } from "../check.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { tolerance } from "../tolerance.js";
import { caseName, modelFiles } from "./model-files.js";

type Entry = { name: string; inputs: unknown[]; outputs: unknown[] };

/** Cases of a model that reads images, and possibly texts. */
export function visionCases(
  data: DataFolder,
  path: string,
  entries: readonly Entry[],
  config: string,
): Case[] {
  const opened = new Map<Target["device"], Promise<VisionModel | DualEncoderModel>>();
  const open = (device: Target["device"], texts: boolean) => {
    const model =
      opened.get(device) ??
      (texts ? loadDualEncoder : loadVision)(modelFiles(data, path, config), { device });
    opened.set(device, model);
    return model;
  };
  return entries.map(({ name, ...entry }) => ({
    name: caseName(path, config, name),
    run: async (target) => {
      const inputs = entry.inputs.map(readTensor);
      const texts = inputs.some((one) => one.name === "input_ids");
      const model = await open(target.device, texts);
      return compareVision(model, inputs, entry.outputs.map(readTensor), target);
    },
  }));
}

/** Compares a model's outputs for images with those of a case. */
export async function compareVision(
  model: VisionModel | DualEncoderModel,
  inputs: readonly ReferenceTensor[],
  outputs: readonly ReferenceTensor[],
  target: Target,
): Promise<Check[]> {
  const given = Object.fromEntries(inputs.map((one) => [one.name, one]));
  const actual = "logits" in model ? sharedVectors(model, given, target) : imageRows(model, given, target);
  return Promise.all(
    outputs.map(async ({ name, shape, values }) => {
      const isLogits = name.includes("logits");
      const limit = tolerance(isLogits ? "logits" : "embedding", target.class);
      const ours = actual[name]?.();
      if (!ours) return mismatch(name, limit, "is not known");
      // References after each layer exist for the first image only.
      const seen = name.startsWith("hidden.") ? slice(ours, 0, 0, 1) : ours;
      return compareNumbers(
        name,
        { shape: seen.shape, values: await seen.read() },
        { shape, values: values as Float32Array },
        limit,
        { absolute: isLogits },
      );
    }),
  );
}

type Outputs = Readonly<Record<string, () => Tensor | undefined>>;

/** Outputs of a vision transformer by their names in the references. */
function imageRows(
  model: VisionModel,
  { pixel_values }: Readonly<Record<string, ReferenceTensor>>,
  target: Target,
): Outputs {
  const { config, params } = model;
  const tensors: Record<string, Tensor> = {};
  const trace = { names: ["embeddings", "output"], tensors } as const;
  const rows = model.apply(params, toTensor(pixel_values!, target), { trace });
  const head = config.head;
  const afterLayers = Array.from({ length: config.numLayers }, (_, i) => [
    `hidden.${i + 1}`,
    () => tensors[`layers.${i}.output`],
  ]) as [string, () => Tensor | undefined][];
  return {
    ...Object.fromEntries(afterLayers),
    "hidden.0": () => tensors["embeddings"],
    last_hidden_state: () => rows,
    pooler_output: () => (head ? taskLogits(model, rows) : model.pool(params, rows)),
    logits: () => taskLogits(model, rows),
    scores: () => head && labelScores(head, taskLogits(model, rows)),
  };
}

/** Outputs of a dual encoder. */
function sharedVectors(
  model: DualEncoderModel,
  { input_ids, attention_mask, pixel_values }: Readonly<Record<string, ReferenceTensor>>,
  target: Target,
): Outputs {
  const { params } = model;
  const real = attention_mask && cast(toTensor(attention_mask, target), "bool"); // [B, T]
  const texts = model.embedTexts(params, toTensor(input_ids!, target), {
    ...(real && { mask: maskTensor(expandDims(expandDims(real, 1), 1)) }),
  });
  const images = model.embedImages(params, toTensor(pixel_values!, target));
  const logits = () => model.logits(params, images, texts);
  return {
    text_embeds: () => texts,
    image_embeds: () => images,
    logits_per_image: logits,
    logits_per_text: () => transpose(logits()),
  };
}
