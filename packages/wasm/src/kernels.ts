import type { Device } from "@qkv/tensor";
import type { Engine } from "./engine.js";
import { attentionBackwardKernel, attentionKernel } from "./kernels/attention.js";
import { elementwiseKernel } from "./kernels/elementwise.js";
import { matmulKernel } from "./kernels/matmul.js";
import { rmsNormKernel, softmaxKernel } from "./kernels/rows.js";

/** The table of the device: its kernels by op name. */
export function kernels(engine: Engine): Device["kernels"] {
  return {
    add: elementwiseKernel("add", engine),
    attention: attentionKernel(engine),
    attentionBackward: attentionBackwardKernel(engine),
    exp: elementwiseKernel("exp", engine),
    matmul: matmulKernel(engine),
    mul: elementwiseKernel("mul", engine),
    rmsNorm: rmsNormKernel(engine),
    silu: elementwiseKernel("silu", engine),
    softmax: softmaxKernel(engine),
  };
}
