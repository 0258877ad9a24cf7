import { checks, type Checks } from "@qkv/core";
import type { RawImage } from "../images/raw-image.js";
import { loadVision } from "../load-vision.js";
import type { VisionModel } from "../models/model.js";
import { labelScores, taskLogits } from "../models/task-head.js";
import { bestIndices } from "./best-indices.js";
import { requiredProcessor, requiredVision, type ImagesOf, type ImageTask } from "./image-task.js";

/** Options of a call of an {@link ImageClassificationPipeline}, with the names of Transformers.js. */
export type ImageClassificationOptions = {
  /** Number of labels to return, the most likely first; null: all. Default 5. */
  top_k?: number | null;
};

/** A label of an image. */
export type ClassifiedImage = { label: string; score: number };

/** Call signatures of an image classification pipeline. */
export type ImageClassificationCall = ImagesOf<ImageClassificationOptions, ClassifiedImage[]>;

/** The task `image-classification`. */
export const imageClassification: ImageTask<VisionModel, ImageClassificationCall> = {
  load: loadVision,
  calls(check, given) {
    const model = requiredVision(check, given);
    const { head } = model.config;
    if (head?.task !== "image")
      return check.refuse({
        received: "a vision transformer without a head for labels",
        expected: "one that was saved with its head",
        fix: "take a checkpoint of such a class (ViTForImageClassification).",
      });
    const processor = requiredProcessor(check, model.processor);
    const callCheck: Checks = checks('pipeline("image-classification")');
    const call = async (images: RawImage | readonly RawImage[], options?: ImageClassificationOptions) => {
      const { top_k = 5 } = callCheck.options(options, ["top_k"]);
      if (top_k !== null) callCheck.whole({ top_k }, { min: 1, unit: "labels" });
      const { device } = model.params.patches.weight;
      const rows = model.apply(model.params, processor.apply(images, { device }));
      const scores = (await labelScores(head, taskLogits(model, rows)).read()) as Float32Array;
      const count = head.labels.length;
      const results = Array.from({ length: rows.shape[0]! }, (_, b) => {
        const imageScores = scores.subarray(b * count, (b + 1) * count);
        return bestIndices(imageScores, top_k ?? count).map((i) => ({
          label: head.labels[i]!,
          score: imageScores[i]!,
        }));
      });
      return Array.isArray(images) ? results : results[0];
    };
    return call as ImageClassificationCall;
  },
};
