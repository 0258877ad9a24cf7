import type { Kernels } from "@qkv/tensor";
import type { Context } from "../context.js";
import { attentionKernel } from "./attention/attention.js";
import { tensorAccess } from "./attention/tensor-access.js";
import { RowStats } from "./attention/row-stats.js";
import { concatKernel } from "./concat.js";

/** Kernels of attention's forward pass, and the copies that concatenate segments of keys and values for it. */
export function attentionKernels(context: Context): Kernels {
  return {
    attention: attentionKernel(context, tensorAccess(context), new RowStats()),
    concat: concatKernel(context),
  };
}
