import type { Device } from "@qkv/tensor";
import type { Engine } from "./engine.js";
import { attentionBackwardKernel, attentionKernel } from "./kernels/attention.js";
import { dropoutKernel } from "./kernels/dropout.js";
import { elementwiseKernels } from "./kernels/elementwise.js";
import { concatKernel, padKernel } from "./kernels/concat-and-pad.js";
import { linearKernel, matmulKernel } from "./kernels/matmul.js";
import { optimizerKernels } from "./kernels/optimizers.js";
import { quantizedMatmulKernel } from "./kernels/quantized.js";
import { reduceKernels } from "./kernels/reduce.js";
import { rotateKernel } from "./kernels/rotate.js";
import {
  crossEntropyBackwardKernel,
  crossEntropyKernel,
  layerNormKernel,
  rmsNormKernel,
  softmaxKernel,
} from "./kernels/rows.js";
import { scanKernel } from "./kernels/scan.js";
import { takeBackwardKernel, takeKernel } from "./kernels/take.js";
import { writeKernel } from "./kernels/write.js";
import type { ReadPatterns } from "./read-pattern.js";

/** The table of the device: its kernels by op name. */
export function kernels(engine: Engine, patterns: ReadPatterns): Device["kernels"] {
  return {
    ...elementwiseKernels(engine),
    ...optimizerKernels(engine),
    ...reduceKernels(engine),
    attention: attentionKernel(engine, patterns),
    attentionBackward: attentionBackwardKernel(engine),
    concat: concatKernel(engine),
    crossEntropy: crossEntropyKernel(engine),
    crossEntropyBackward: crossEntropyBackwardKernel(engine),
    dropout: dropoutKernel(engine),
    layerNorm: layerNormKernel(engine),
    linear: linearKernel(engine, patterns),
    matmul: matmulKernel(engine, patterns),
    pad: padKernel(engine),
    quantizedMatmul: quantizedMatmulKernel(engine),
    rmsNorm: rmsNormKernel(engine),
    rotate: rotateKernel(engine),
    scan: scanKernel(engine),
    softmax: softmaxKernel(engine),
    take: takeKernel(engine),
    takeBackward: takeBackwardKernel(engine),
    write: writeKernel(engine),
  };
}
