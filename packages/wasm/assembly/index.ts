export { attentionBackward, attentionBackwardScratch } from "./attention-backward";
export { attentionDecode, attentionDecodeScratch, attentionMerge } from "./attention-decode";
export { attentionForward, attentionForwardScratch } from "./attention-forward";
export { dropout, dropoutScratch } from "./dropout";
export { binary, choose, compare, copyRows, unary } from "./elementwise";
export { matmul, matmulScratch, multiply, multiplyScratch, packColumns, packHalfColumns } from "./matmul";
export { addParts, rowTimesColumns, rowTimesHalfColumns, rowTimesRows } from "./row-times-matrix";
export { crossEntropyBackwardRows, crossEntropyRows, layerNormRows, rmsNormRows, softmaxRows } from "./rows";
export { addRows, takeRows } from "./rows-by-index";
export { binaryVectors, unaryVectors } from "./micro-kernels";
export { adam, sgd } from "./optimizers";
export { largestColumns, largestRows, sumColumns, sumRows } from "./reduce";
export { rotate } from "./rotate";
export { scan, scanScratch } from "./scan";
export {
  bytesAreExact,
  quantizeRows,
  quantizedBlocks,
  quantizedPanels,
  quantizedPanelsScratch,
  quantizedRow,
  splitBytes,
  splitRow,
  splitRows,
  int8Panels,
  int8Row,
} from "./quantized";
