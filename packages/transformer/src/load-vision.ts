import { checks } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";
import type {
  AnyCheckpoint,
  DualEncoderCheckpoint,
  VisionCheckpoint,
} from "./checkpoints/hugging-face/family.js";
import { imageProcessor, type ImageProcessor } from "./images/image-processor.js";
import { imageProcessorConfig } from "./images/read-image-processor-config.js";
import { openModel, optionNames, type LoadOptions, type Opened, type Readers } from "./load.js";
import { smallFiles, type Reading, type Source } from "./loading/open-file.js";
import type { Folder } from "./loading/folder.js";
import { readJson } from "./loading/read-json.js";
import { dualEncoder } from "./models/dual-encoder.js";
import type { DualEncoderModel, VisionModel } from "./models/model.js";
import type { QuantizationReport } from "./models/quantization-report.js";
import { visionTransformer } from "./models/vision-transformer.js";
import { anyLinear } from "./quantization/any-linear.js";
import { deviceRounding, roundParams, type Rounding } from "./quantization/quantize.js";

/**
 * Loads an image model from a folder, a URL or a repository, like `load`: ViT, DeiT, DINOv2, and the image encoders of CLIP
 * and SigLIP. A classification head in the checkpoint is loaded too; {@link taskLogits} applies it. `preprocessor_config.json`, if the
 * folder has it, becomes `processor`.
 *
 * @throws {ArgumentError} If a file cannot be read, and as `load` does.
 * @throws {FormatError} If the architecture is not one of these, or a tensor is missing.
 *
 * @example
 * ```ts
 * import { loadVision } from "@qkv/transformer";
 *
 * // const vit = await loadVision("google/vit-base-patch16-224");
 * // const rows = vit.apply(vit.params, vit.processor.apply(imageData)); // [1, 197, 768]
 * await loadVision(new Uint8Array(0)); // => throws ArgumentError: expected a folder
 * ```
 */
export async function loadVision(
  source: Source | readonly File[],
  options?: LoadOptions,
): Promise<VisionModel> {
  const check = checks("loadVision", { argument: "source" });
  const { readVision } = await import("./checkpoints/hugging-face/read-vision.js");
  return assembleVisionModel(check, ...(await openImageModel(check, source, options, readVision)));
}

/** Creates a vision transformer from a checkpoint, quantized if requested. */
export async function assembleVisionModel(
  check: Reading["check"],
  { checkpoint, folder }: Opened<VisionCheckpoint>,
  rounding: Rounding | undefined,
  device: Device,
): Promise<VisionModel> {
  const { config } = checkpoint;
  const { params, ...report } = quantizeParams(checkpoint.params, rounding, device);
  const processor = folder && (await readProcessor(check, folder));
  const { apply, pool } = visionTransformer(config, { linear: anyLinear() });
  const shared = { config, params, tokenizer: undefined, ...(processor && { processor }) };
  return { kind: "vision", ...shared, apply, pool, ...report };
}

/**
 * Loads a dual encoder, for comparing texts and images, from the same sources as {@link loadVision}: CLIP and SigLIP.
 *
 * @throws As `loadVision` does.
 *
 * @example
 * ```ts
 * import { loadDualEncoder } from "@qkv/transformer";
 *
 * // const clip = await loadDualEncoder("openai/clip-vit-base-patch32");
 * // const images = clip.embedImages(clip.params, clip.processor.apply(imageData)); // [1, 512]
 * await loadDualEncoder(new Uint8Array(0)); // => throws ArgumentError: expected a folder
 * ```
 */
export async function loadDualEncoder(
  source: Source | readonly File[],
  options?: LoadOptions,
): Promise<DualEncoderModel> {
  const check = checks("loadDualEncoder", { argument: "source" });
  const { readDualEncoder } = await import("./checkpoints/hugging-face/read-vision.js");
  return assembleDualEncoder(check, ...(await openImageModel(check, source, options, readDualEncoder)));
}

/** Creates a dual encoder from a checkpoint, quantized if requested. */
export async function assembleDualEncoder(
  check: Reading["check"],
  { checkpoint, tokenizer, folder }: Opened<DualEncoderCheckpoint>,
  rounding: Rounding | undefined,
  device: Device,
): Promise<DualEncoderModel> {
  const { config } = checkpoint;
  const { params, ...report } = quantizeParams(checkpoint.params, rounding, device);
  const processor = folder && (await readProcessor(check, folder));
  const { embedTexts, embedImages, logits } = dualEncoder(config, { linear: anyLinear() });
  const shared = { config, params, tokenizer, ...(processor && { processor }) };
  return { kind: "dual-encoder", ...shared, embedTexts, embedImages, logits, ...report };
}

/** Quantized params, and the quantization report. `rounding`: the quantization; undefined leaves the params unchanged. */
function quantizeParams<Params extends object>(
  params: Params,
  rounding: Rounding | undefined,
  device: Device,
): { params: Params; quantization?: QuantizationReport } {
  if (!rounding) return { params };
  const rounded = roundParams(rounding, params, { device, generates: false });
  return { params: rounded.params, quantization: rounded.report };
}

/** Opens a folder of Hugging Face with the reader of its `config.json`, and creates the requested quantization. */
async function openImageModel<C extends AnyCheckpoint>(
  check: Reading["check"],
  source: Source | readonly File[],
  loadOptions: LoadOptions | undefined,
  readConfig: Readers<C>["config"],
): Promise<[opened: Opened<C>, rounding: Rounding | undefined, device: Device]> {
  const { quantize, ...options } = check.options(loadOptions, [...optionNames, "quantize"]);
  if (quantize !== undefined) check.oneOf({ quantize }, ["int8", "int4"]);
  const { device = js() } = options;
  const rounding = quantize && deviceRounding(quantize, device);
  const file: Readers<C>["file"] = async ({ name }) =>
    check.refuse({
      received: name,
      expected: "a folder of Hugging Face with config.json beside its weights",
      fix: "name the folder, or give all of its files.",
    });
  return [await openModel(check, source, options, rounding, { config: readConfig, file }), rounding, device];
}

/** The image processor of a folder; undefined if it has none. */
async function readProcessor(check: Reading["check"], folder: Folder): Promise<ImageProcessor | undefined> {
  const file = await folder.find("preprocessor_config.json", smallFiles.configuration);
  return file && imageProcessor(imageProcessorConfig(await readJson(file, check), file));
}
