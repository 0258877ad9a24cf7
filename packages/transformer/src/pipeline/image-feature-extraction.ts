import { checks, type Checks } from "@qkv/core";
import { loadVision } from "../load-vision.js";
import type { RawImage } from "../images/raw-image.js";
import type { VisionModel } from "../models/model.js";
import { taskLogits } from "../models/task-head.js";
import { requiredProcessor, requiredVision, type ImageTask } from "./image-task.js";
import { outputTensor, type OutputTensor } from "./output-tensor.js";

/** Options of a call of an {@link ImageFeatureExtractionPipeline}, with the names of Transformers.js. */
export type ImageFeatureExtractionOptions = {
  /** True: one vector for each image, `[B, C]`. Default false: a row for each patch, `[B, T, C]`. */
  pool?: boolean;
};

/** Call signatures of an image feature extraction pipeline. */
export type ImageFeatureExtractionCall = (
  images: RawImage | readonly RawImage[],
  options?: ImageFeatureExtractionOptions,
) => Promise<OutputTensor>;

/** The task `image-feature-extraction`. */
export const imageFeatureExtraction: ImageTask<VisionModel, ImageFeatureExtractionCall> = {
  load: loadVision,
  calls(check, given) {
    const model = requiredVision(check, given);
    const processor = requiredProcessor(check, model.processor);
    const callCheck: Checks = checks('pipeline("image-feature-extraction")');
    return async (images, options) => {
      const { pool = false } = callCheck.options(options, ["pool"]);
      callCheck.type({ pool }, "boolean");
      const { device } = model.params.patches.weight;
      const rows = model.apply(model.params, processor.apply(images, { device }));
      const hasPooler = model.config.head?.task === "pooler";
      const result = !pool ? rows : hasPooler ? taskLogits(model, rows) : model.pool(model.params, rows);
      return outputTensor((await result.read()) as Float32Array, result.shape);
    };
  },
};
