import type { Kernels } from "@qkv/tensor";
import type { Buffer } from "../engine.js";
import { attentionKernel } from "./attention.js";
import { elementwiseKernels } from "./elementwise.js";
import { lineKernels } from "./lines.js";
import { matmulKernel } from "./matmul.js";
import { reduceKernels } from "./reduce.js";
import { rotateKernel } from "./rotate.js";
import type { Scalar } from "./run.js";
import { takeKernel } from "./take.js";
import { writeKernel } from "./write.js";

/** The kernels of mode `webasm`, by op name, in gpu.js's JavaScript: one number per thread. */
export function scalarKernels<B extends Buffer>(scalar: Scalar<B>): Kernels {
  return {
    ...elementwiseKernels(scalar),
    ...lineKernels(scalar),
    ...reduceKernels(scalar),
    attention: attentionKernel(scalar),
    matmul: matmulKernel(scalar),
    rotate: rotateKernel(scalar),
    take: takeKernel(scalar),
    write: writeKernel(scalar),
  };
}
