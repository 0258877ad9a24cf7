import type { Kernels } from "@qkv/tensor";
import type { Context } from "../context.js";
import { attentionKernel } from "./attention/attention.js";
import { attentionBackwardKernel } from "./attention/attention-backward.js";
import { tensorAccess } from "./attention/tensor-access.js";
import { RowStats } from "./attention/row-stats.js";
import { categoricalKernel } from "./categorical.js";
import { causalConvKernel } from "./causal-conv.js";
import { concatKernel } from "./concat.js";
import { crossEntropyKernels } from "./cross-entropy.js";
import { elementwiseKernels } from "./elementwise.js";
import { lineKernels } from "./lines.js";
import { linearSystemKernels } from "./linear-systems.js";
import { lookupKernels } from "./lookups.js";
import { matmulKernels } from "./matmul.js";
import { maxPoolPatchesKernel } from "./max-pool-patches.js";
import { optimizerKernels } from "./optimizers.js";
import { quantizedKernels } from "./quantized.js";
import { rearrangingKernels } from "./rearranging.js";
import { reduceKernels } from "./reduce.js";
import { rotateKernel } from "./rotate.js";
import { RowProducts } from "./row-products.js";
import { sampleTokenKernel } from "./sample-token.js";
import { scanKernel } from "./scan.js";
import { scatterKernels } from "./scatter.js";
import { sortingKernels } from "./sorting.js";
import { windowKernels } from "./windows.js";

/** Kernels of every operation, by op name. */
export function everyKernel(context: Context): Kernels {
  const access = tensorAccess(context);
  const rowProducts = new RowProducts();
  const rowStats = new RowStats();
  return {
    ...elementwiseKernels(context, rowProducts),
    ...rearrangingKernels(context, rowProducts),
    ...reduceKernels(context),
    ...lineKernels(context, rowProducts),
    ...crossEntropyKernels(context),
    ...lookupKernels(context),
    ...scatterKernels(context),
    ...windowKernels(context),
    ...sortingKernels(context),
    ...matmulKernels(context, rowProducts),
    ...quantizedKernels(context),
    ...optimizerKernels(context),
    attention: attentionKernel(context, access, rowStats),
    attentionBackward: attentionBackwardKernel(context, access, rowStats),
    ...linearSystemKernels(context),
    categorical: categoricalKernel(context),
    causalConv: causalConvKernel(context),
    concat: concatKernel(context),
    maxPoolPatches: maxPoolPatchesKernel(context),
    rotate: rotateKernel(context),
    sampleToken: sampleTokenKernel(context),
    scan: scanKernel(context),
  } as Kernels;
}
