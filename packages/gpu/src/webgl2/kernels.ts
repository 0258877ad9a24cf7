import type { Kernels } from "@qkv/tensor";
import type { Gl } from "./gl.js";
import { attentionKernel } from "./kernels/attention.js";
import { elementwiseKernels } from "./kernels/elementwise.js";
import { lineKernels } from "./kernels/lines.js";
import { matmulKernel } from "./kernels/matmul.js";
import { reduceKernels } from "./kernels/reduce.js";
import { rotateKernel } from "./kernels/rotate.js";
import { takeKernel } from "./kernels/take.js";
import { writeKernel } from "./kernels/write.js";

/** The kernels of mode `webgl2`, by op name. */
export function shaderKernels(gl: Gl): Kernels {
  return {
    ...elementwiseKernels(gl),
    ...lineKernels(gl),
    ...reduceKernels(gl),
    attention: attentionKernel(gl),
    matmul: matmulKernel(gl),
    rotate: rotateKernel(gl),
    take: takeKernel(gl),
    write: writeKernel(gl),
  };
}
