export { bytesPerToken, type TokenCost } from "./tracing/bytes-per-token.js";
export { sideBySide, type Segmentation } from "./tracing/side-by-side.js";
export { traceMerges, type MergeStep, type MergeTrace } from "./tracing/trace-merges.js";
