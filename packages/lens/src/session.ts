/** A model that answers questions about texts with plain data: for pages whose model is in a worker. */
export type {
  CallOptions,
  CopyingAnswer,
  HeadAnswer,
  LayerPrediction,
  LensSession,
  LensSessionRun,
  LogitPartsAnswer,
  PatchAnswer,
  PatchQuestion,
  ScorePartsAnswer,
  TextQuestion,
} from "./session/answers.js";
export { patternNames, type PatternName } from "./session/head-maps.js";
export { lensSession } from "./session/lens-session.js";
export type { Prediction } from "./session/predictions.js";
