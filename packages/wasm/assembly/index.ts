export { attentionScratch, beginTile, endTile, gatherRows, mixTile, scoreTile } from "./attention";
export { add, exp, mul, silu } from "./elementwise";
export { matmul, matmulScratch, rowTimesColumns, rowTimesRows } from "./matmul";
export { rmsNormRows, softmaxRows } from "./rows";
