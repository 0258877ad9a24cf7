export { attentionBackward, attentionBackwardScratch } from "./attention-backward";
export { attentionForward, attentionForwardScratch } from "./attention-forward";
export { add, exp, mul, silu } from "./elementwise";
export { matmul, matmulScratch, rowTimesColumns, rowTimesRows } from "./matmul";
export { rmsNormRows, softmaxRows } from "./rows";
