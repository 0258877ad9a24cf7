/** A model that is asked many questions about texts, with plain data as answers: for pages that look into a model in a worker. */
export type {
  Asking,
  CopyingAnswer,
  HeadAnswer,
  LayerPrediction,
  LensSession,
  LensSessionRun,
  PartsAnswer,
  PatchAnswer,
  PatchQuestion,
  ReasonsAnswer,
  TextQuestion,
} from "./session/answers.js";
export { patternNames, type PatternName } from "./session/head-maps.js";
export { lensSession } from "./session/lens-session.js";
export type { Prediction } from "./session/predictions.js";
