import { imageClassification } from "./image-classification.js";
import { imageFeatureExtraction } from "./image-feature-extraction.js";
import { zeroShotImageClassification } from "./zero-shot-image-classification.js";

/** The tasks for image models, in one module because they share loading and preprocessing. */
export const imageTasks = {
  "image-classification": imageClassification,
  "image-feature-extraction": imageFeatureExtraction,
  "zero-shot-image-classification": zeroShotImageClassification,
} as const;
