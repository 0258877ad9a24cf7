import type { Checks } from "@qkv/core";
import type { ImageProcessor } from "../images/image-processor.js";
import type { RawImage } from "../images/raw-image.js";
import type { LoadOptions } from "../load.js";
import type { Source } from "../loading/open-file.js";
import type { DualEncoderModel, VisionModel } from "../models/model.js";

/** A task of models of images: its loader, and the calls of a model. */
export type ImageTask<Kind extends VisionModel | DualEncoderModel, Call> = {
  load(source: Source | readonly File[], options: LoadOptions): Promise<Kind>;
  calls(check: Checks<{ argument: string }>, model: unknown): Call;
};

/** Calls with one image, or with a list of them. */
export type ImagesOf<Options, Result> = {
  (image: RawImage, options?: Options): Promise<Result>;
  (images: readonly RawImage[], options?: Options): Promise<Result[]>;
};

/** The processor of a model, which images need. */
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

/** A vision transformer; another model is refused. */
export function requiredVision(check: Checks<{ argument: string }>, model: unknown): VisionModel {
  if (typeof (model as Partial<VisionModel> | null)?.pool === "function") return model as VisionModel;
  return check.refuse({
    received: model,
    expected: "a vision transformer",
    fix: "load one with `loadVision`, or give its name.",
  });
}
