import type { Checks } from "@qkv/core";
import type { ImageProcessor } from "../images/image-processor.js";
import type { RawImage } from "../images/raw-image.js";
import type { LoadOptions } from "../load.js";
import type { Source } from "../loading/open-file.js";
import type { DualEncoderModel, VisionModel } from "../models/model.js";

/** A task for image models: its loader, and the function of its pipeline. */
export type ImageTask<Kind extends VisionModel | DualEncoderModel, Call> = {
  load(source: Source | readonly File[], options: LoadOptions): Promise<Kind>;
  calls(check: Checks<{ argument: string }>, model: unknown): Call;
};

/** Applies a function to one image, or to a list of images. */
export type ImagesOf<Options, Result> = {
  (image: RawImage, options?: Options): Promise<Result>;
  (images: readonly RawImage[], options?: Options): Promise<Result[]>;
};

/** The image processor of a model; refuses a model without one. */
export function requiredProcessor(
  check: Checks<{ argument: string }>,
  processor: ImageProcessor | undefined,
): ImageProcessor {
  return (
    processor ??
    check.refuse({
      received: "a model without a processor",
      expected: "one with its processor, since a pipeline takes images",
      fix: "put `preprocessor_config.json` into its folder, or write { ...model, processor: imageProcessor(config) }.",
    })
  );
}

/** Checks that a model is a vision transformer. */
export function requiredVision(check: Checks<{ argument: string }>, model: unknown): VisionModel {
  if (typeof (model as Partial<VisionModel> | null)?.pool === "function") return model as VisionModel;
  return check.refuse({
    received: model,
    expected: "a vision transformer",
    fix: "load one with `loadVision`, or give its name.",
  });
}
