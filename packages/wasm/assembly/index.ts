export { attentionBackward, attentionBackwardScratch } from "./attention-backward";
export { attentionDecode, attentionDecodeScratch, attentionMerge } from "./attention-decode";
export { attentionForward, attentionForwardScratch } from "./attention-forward";
export { add, exp, mul, silu } from "./elementwise";
export { matmul, matmulScratch, multiply, multiplyScratch, packColumns } from "./matmul";
export { rowTimesColumns, rowTimesRows } from "./row-times-matrix";
export { rmsNormRows, softmaxRows } from "./rows";
