import type { Kernels } from "@qkv/tensor";
import type { Context } from "../context.js";
import { attentionKernel } from "./attention/attention.js";
import { placeTensors } from "./attention/place-tensors.js";
import { RowStats } from "./attention/row-stats.js";
import { concatKernel } from "./concat.js";

/** Kernels of attention's forward pass, and the copies that concatenate segments of keys and values for it. */
export function attentionKernels(context: Context): Kernels {
  return {
    attention: attentionKernel(context, placeTensors(context), new RowStats()),
    concat: concatKernel(context),
  };
}
