import { ArgumentError, isQkvError, knownNames } from "@qkv/core";
import { checkpointsCommand } from "../checkpoints/checkpoints-command.js";
import { configFields } from "../architectures/config-fields.js";
import { under, writeStored } from "../architectures/stored-tensor.js";
import type { TensorToWrite } from "../architectures/tensor-to-write.js";
import {
  dualEncoderArchitectures,
  visionArchitectures,
} from "../architectures/vision/vision-architectures.js";
import type { VisionArchitecture } from "../architectures/vision/vision-architecture.js";
import { headTensors } from "../checkpoints/hugging-face/read-vision.js";
import type { ImageProcessorConfig } from "../images/image-processor.js";
import { resamplings } from "../images/resize-image.js";
import type { DualEncoderConfig, DualEncoderParams } from "../models/dual-encoder.js";
import type { EncoderConfig } from "../models/encoder.js";
import type { VisionTransformerConfig, VisionTransformerParams } from "../models/vision-transformer.js";
import { labelFields } from "./hugging-face-encoder.js";

type Checkpoint = { fields: Record<string, unknown>; tensors: TensorToWrite[] };

/** Exports a vision transformer with the names of the first architecture that can represent it, and its head if it has one. */
export function visionCheckpoint(
  config: VisionTransformerConfig,
  params: VisionTransformerParams,
): Checkpoint {
  const { head, ...visionConfig } = config;
  for (const architecture of visionArchitectures) {
    const written = { model_type: architecture.modelTypes[0], ...architecture.write(config) };
    const read = readBack(written, architecture.read);
    if (!read || !isSame(visionDefaults, visionConfig, read.config)) continue;
    const isClassifier = head?.task === "image";
    const path = isClassifier ? architecture.prefixes[0]! : architecture.barePath;
    const names = head && headNames(architecture, config, path, written);
    if (head && !names) continue;
    const entries = [
      under("", path.replace(/\.$/, ""), read.tensors),
      ...(head && names ? headTensors(config.embedDim, head, names) : []),
    ];
    const { classes } = architecture;
    return {
      fields: {
        ...{ architectures: [isClassifier ? classes.image : classes.model], ...written },
        ...(isClassifier && labelFields(head)),
      },
      tensors: writeStored(entries, params),
    };
  }
  return refuseTraits(config, visionArchitectures);
}

/** Names of the head of a configuration; undefined if the architecture does not support it. */
function headNames(
  { heads }: VisionArchitecture,
  { head }: VisionTransformerConfig,
  path: string,
  fields: object,
) {
  const { pooler, image } = heads(path, configFields(fields, configSource));
  const names = head?.task === "image" ? image : pooler;
  const fits =
    (names?.pooling ?? "cls") === (head?.pooling ?? "cls") &&
    names?.activation === head?.activation &&
    (names?.distillation !== undefined) === (head?.distillation ?? false);
  return fits && head?.normEps === undefined ? names : undefined;
}

/** Exports a dual encoder with the names of the first architecture that can represent it. */
export function dualEncoderCheckpoint(config: DualEncoderConfig, params: DualEncoderParams): Checkpoint {
  const names: Readonly<Record<string, string>> = { clip: "CLIPModel", siglip: "SiglipModel" };
  for (const { modelTypes, read: readFields, write } of dualEncoderArchitectures) {
    const [type] = modelTypes;
    const written = { model_type: type, ...write(config) };
    const read = readBack(written, readFields);
    if (!read) continue;
    const { text, vision, ...others } = config;
    const isEqual =
      isSame({ visionProjection: true, scores: "softmax" }, others, read.config) &&
      isSame(textDefaults, text, read.config.text) &&
      isSame(visionDefaults, vision, read.config.vision);
    if (!isEqual) continue;
    return {
      fields: { architectures: [names[type]], ...written },
      tensors: writeStored(read.tensors, params),
    };
  }
  return refuseTraits(config, dualEncoderArchitectures);
}

const configSource = { fn: "exportModel", name: "config.json" };

const visionDefaults: Partial<VisionTransformerConfig> = {
  numChannels: 3,
  activation: "gelu",
  classToken: true,
  distillationToken: false,
  registers: 0,
  antialiasPositions: false,
  patchBias: true,
  embeddingNorm: false,
  layerScale: false,
  gated: false,
  finalNorm: "rows",
  pooling: "cls",
};

const textDefaults: Partial<EncoderConfig> = {
  activation: "gelu",
  positions: "learned",
  placement: "post",
  firstLayerNorm: true,
  embeddingNorm: true,
  causal: false,
  gated: false,
  bias: true,
};

/** True if two configurations are equal, with defaults for absent fields. Nested objects are the configurations of the encoders. */
function isSame<T extends object>(defaults: Partial<T>, config: T, read: object): boolean {
  const [a, b] = [
    { ...defaults, ...config },
    { ...defaults, ...read },
  ] as Record<string, unknown>[];
  return Object.keys({ ...a, ...b }).every((name) => typeof b![name] === "object" || a![name] === b![name]);
}

/** Reads the fields that an architecture has written; undefined if it refuses them. */
function readBack<T>(fields: object, read: (fields: ReturnType<typeof configFields>) => T): T | undefined {
  try {
    return read(configFields(fields, configSource));
  } catch (error) {
    if (isQkvError(error)) return undefined;
    throw error;
  }
}

function refuseTraits(config: object, tables: readonly { readonly modelTypes: readonly string[] }[]): never {
  throw new ArgumentError({
    fn: "exportModel",
    argument: "config",
    received: config,
    expected: `the traits of one of ${knownNames(
      undefined,
      tables.map(({ modelTypes }) => modelTypes[0]!),
      checkpointsCommand,
    )}`,
    fix: "keep the folder that the model was loaded from, or its params with `writeSafetensors`.",
  });
}

/** Writes the fields of a `preprocessor_config.json` from the steps of an image processor. */
export function processorFields(config: ImageProcessorConfig): Record<string, unknown> {
  const {
    resize,
    resampling = "bilinear",
    crop,
    rescale = 1 / 255,
    mean = [0, 0, 0],
    std = [1, 1, 1],
  } = config;
  return {
    image_processor_type: crop ? "CLIPImageProcessor" : "ViTImageProcessor",
    do_resize: resize !== undefined,
    ...(resize && { size: "shortestEdge" in resize ? { shortest_edge: resize.shortestEdge } : resize }),
    resample: resamplings.indexOf(resampling),
    do_center_crop: crop !== undefined,
    ...(crop && { crop_size: crop }),
    do_rescale: true,
    rescale_factor: rescale,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
}
