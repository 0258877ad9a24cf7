import { checks } from "@qkv/core";
import { js } from "@qkv/tensor";
import { configFields } from "./architectures/config-fields.js";
import type { AnyCheckpoint } from "./checkpoints/hugging-face/family.js";
import { imageLoaders } from "./checkpoints/hugging-face/image-loaders.js";
import {
  openModel,
  optionNames,
  assembleTextModel,
  textReaders,
  type LoadOptions,
  type Opened,
  type Readers,
} from "./load.js";
import type { Source } from "./loading/open-file.js";
import type { ModelWithKind } from "./models/model.js";

/**
 * Loads a model of any kind from the same sources as `load`, for code that handles all kinds, such as an export: models of
 * texts, of images and of speech, each as returned by the loader of its kind.
 *
 * @returns A model whose `kind` narrows its type: `"decoder"`, `"encoder"`, `"encoder-decoder"`, `"vision"`, `"dual-encoder"` or
 *   `"speech"`.
 * @throws As `load` does.
 *
 * @example
 * ```ts
 * import { loadAny } from "@qkv/transformer";
 *
 * const header = Int32Array.of(2, 3, 1, 1, 1, 5, 4); // a llama2.c checkpoint; yours is a folder or a file
 * const checkpoint = new Uint8Array(4 * (7 + 58));
 * checkpoint.set(new Uint8Array(header.buffer));
 *
 * const model = await loadAny(checkpoint);
 * model.kind; // => "decoder"
 * await loadAny(new Uint8Array(0)); // => throws FormatError: `0 bytes: dim`
 * ```
 */
export async function loadAny(
  source: Source | readonly File[],
  options?: LoadOptions,
): Promise<ModelWithKind> {
  const check = checks("loadAny", { argument: "source" });
  const { quantize, ...openOptions } = check.options(options, [...optionNames, "quantize"]);
  if (quantize !== undefined) check.oneOf({ quantize }, ["int8", "int4"]);
  const { device = js() } = openOptions;
  const rounding = quantize && (await import("./quantization/quantize.js")).deviceRounding(quantize, device);
  const opened = await openModel<AnyCheckpoint>(check, source, openOptions, rounding, readers);
  const { checkpoint } = opened;
  const openedAs = <C extends AnyCheckpoint>(checkpoint: C): Opened<C> => ({ ...opened, checkpoint });
  if (checkpoint.kind === "vision")
    return (await import("./load-vision.js")).assembleVisionModel(
      check,
      openedAs(checkpoint),
      rounding,
      device,
    );
  if (checkpoint.kind === "dual-encoder")
    return (await import("./load-vision.js")).assembleDualEncoder(
      check,
      openedAs(checkpoint),
      rounding,
      device,
    );
  if (checkpoint.kind !== "speech") return assembleTextModel(check, openedAs(checkpoint), rounding, device);
  return (await import("./load-speech.js")).assembleSpeechModel(
    check,
    openedAs(checkpoint),
    rounding,
    device,
  );
}

/** Readers for models of every kind. Image models and their tables are imported on demand. */
const readers: Readers<AnyCheckpoint> = {
  async config(json, file, weights) {
    const loader = imageLoaders[configFields(json, file).text("model_type")];
    if (loader === undefined) return textReaders.config(json, file, weights);
    const { readDualEncoder, readVision } = await import("./checkpoints/hugging-face/read-vision.js");
    return loader === "loadVision" ? readVision(json, file, weights) : readDualEncoder(json, file, weights);
  },
  file: textReaders.file,
};
