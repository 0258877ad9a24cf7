import type { LearnedInputMap } from "@qkv/attention";
import { ones, rmsNorm } from "@qkv/tensor";

/** An RMS norm of an input of a mixer, with or without a learned gain. */
export type NormMap = LearnedInputMap & { readonly eps: number };

/** Norm over the last axis, `gain` `[K]`. */
export const normMap = (eps: number): NormMap => ({
  name: `RMS norm, eps ${eps}`,
  eps,
  init: (shape) => ({ gain: ones(shape.slice(-1)) }),
  apply: (x, { gain }) => rmsNorm(x, gain!, { eps }),
});

/** Norm over the last axis, without a gain. */
export const plainNormMap = (eps: number): NormMap => ({
  name: `RMS norm without a gain, eps ${eps}`,
  eps,
  init: () => ({}),
  apply: (x) => rmsNorm(x, ones([x.shape.at(-1)!], { dtype: x.dtype, device: x.device }), { eps }),
});
