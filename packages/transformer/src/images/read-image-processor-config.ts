import { checks } from "@qkv/core";
import { configFields, type ConfigFields } from "../architectures/config-fields.js";
import type { ReadFile } from "../loading/open-file.js";
import type { ImageProcessorConfig, ImageSides } from "./image-processor.js";
import { resamplings, type Resampling } from "./resize-image.js";

/**
 * Reads the steps of an image processor from a parsed `preprocessor_config.json` of Hugging Face.
 *
 * @param json - The content of the file: `size`, `crop_size`, `resample`, `image_mean` and others.
 * @throws {FormatError} If a field is unknown, or a value is not supported.
 *
 * @example
 * ```ts
 * import { readImageProcessorConfig } from "@qkv/transformer";
 *
 * const config = readImageProcessorConfig({ size: { height: 224, width: 224 }, resample: 3 });
 * config.resize; // => { height: 224, width: 224 }
 * config.resampling; // => "bicubic"
 * ```
 */
export function readImageProcessorConfig(json: unknown): ImageProcessorConfig {
  const check = checks("readImageProcessorConfig");
  const isContent = (value: unknown) => typeof (value as { then?: unknown } | null)?.then !== "function";
  check.each(
    { json },
    isContent,
    "the content of a preprocessor_config.json",
    "await the file, and parse it.",
  );
  return imageProcessorConfig(json, { fn: "readImageProcessorConfig", name: "preprocessor_config.json" });
}

/** Reads the steps of an image processor, with the name of the file for errors. */
export function imageProcessorConfig(json: unknown, file: ReadFile): ImageProcessorConfig {
  const fields = configFields(json, file);
  const type = fields.text("image_processor_type", fields.text("feature_extractor_type", ""));
  const hasCrop = fields.flag("do_center_crop", /^(CLIP|Bit)/.test(type));
  const resize = sizeField(fields, hasCrop) ?? (hasCrop ? { shortestEdge: 224 } : square(224));
  const crop = sidesField(fields, "crop_size") ?? square(224);
  const [mean, std] = (["image_mean", "image_std"] as const).map(
    (name) => tripleField(fields, name) ?? ([0.5, 0.5, 0.5] as const),
  ) as [Triple, Triple];
  const factor = fields.positive("rescale_factor", 1 / 255);
  const resampling = resamplingField(fields, hasCrop ? "bicubic" : "bilinear");
  const isEnabled = (step: string) => fields.flag(step, true);
  const config: ImageProcessorConfig = {
    ...(isEnabled("do_resize") && { resize, resampling }),
    ...(hasCrop && { crop }),
    rescale: isEnabled("do_rescale") ? factor : 1,
    ...(isEnabled("do_normalize") && { mean, std }),
  };
  fields.mustBe("do_pad", false);
  fields.finish(ignored);
  return config;
}

type Triple = readonly [red: number, green: number, blue: number];

/** Ignored fields: origin of the file, and steps that are always done. */
const ignored: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "processor_class",
  "feature_extractor_type",
  "_valid_processor_keys",
  "return_tensors",
  "do_convert_rgb",
  "data_format",
  "input_data_format",
]);

const square = (side: number): ImageSides => ({ height: side, width: side });

/** The size for resizing. A single number is the shorter side if a crop follows, else both sides. */
function sizeField(fields: ConfigFields, hasCrop: boolean): ImageProcessorConfig["resize"] {
  if (fields.isNumber("size"))
    return hasCrop ? { shortestEdge: fields.count("size") } : square(fields.count("size"));
  const size = fields.nested("size");
  const shortestEdge = size?.countOr(undefined, "shortest_edge");
  if (shortestEdge !== undefined) return { shortestEdge };
  if (size && !size.has("height") && !size.has("width") && size.unread(new Set()).length > 0)
    return fields.unsupported("size", "a size with `shortest_edge`, or with `height` and `width`");
  return sidesField(fields, "size");
}

/** Height and width: one number for both, or an object. */
function sidesField(fields: ConfigFields, name: string): ImageSides | undefined {
  if (fields.isNumber(name)) return square(fields.count(name));
  const both = fields.nested(name);
  return both && { height: both.count("height"), width: both.count("width") };
}

function resamplingField(fields: ConfigFields, fallback: Resampling): Resampling {
  const filterIndex = fields.numberOr(undefined, "resample");
  if (filterIndex === undefined) return fallback;
  return (
    resamplings[filterIndex] ?? fields.refuse("resample", `an integer from 0 to ${resamplings.length - 1}`)
  );
}

/** One value per channel: red, green and blue. */
function tripleField(fields: ConfigFields, name: string): Triple | undefined {
  const list = fields.list(name);
  if (list === undefined) return undefined;
  const expected = "a list of three numbers";
  if (list.length === 0 || !list.every((value) => Number.isFinite(value)))
    return fields.refuse(name, expected);
  return list.length === 3 ? (list as unknown as Triple) : fields.unsupported(name, expected);
}
