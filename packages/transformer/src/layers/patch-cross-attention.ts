import { crossAttention, type AttentionParams } from "@qkv/attention";
import type { Mask } from "@qkv/attention-contract";
import { add, mul, type linear, type Tensor } from "@qkv/tensor";
import { norm, type NormParams } from "./norm.js";

export type PatchCrossAttentionParams = {
  /** `[C]`, norm of the queries' input. */
  norm: NormParams;
  /** `[C]`, norm of the context. */
  contextNorm: NormParams;
  attention: AttentionParams;
};

/** Cross-attention between the bytes of a text and its patches. */
export type PatchCrossAttention = {
  init(seed: number): PatchCrossAttentionParams;
  /** Queries `[B, T, C]` and context `[B, S, C]` to `[B, T, C]`. */
  apply(params: PatchCrossAttentionParams, x: Tensor, context: Tensor, mask: Mask): Tensor;
};

/**
 * Cross-attention of BLT: both inputs are normalized, and x is added twice, `2 x + attention(norm x, norm context)`, because the
 * layer and the model both add it.
 *
 * @see "Byte Latent Transformer: Patches Scale Better Than Tokens" (2024), arXiv:2412.09871, section 3.2.2
 */
export function patchCrossAttention({
  embedDim,
  numHeads,
  numKvHeads,
  normEps: eps,
  linear: map,
}: {
  embedDim: number;
  numHeads: number;
  numKvHeads: number;
  normEps: number;
  linear: typeof linear | undefined;
}): PatchCrossAttention {
  const layerNorm = norm({ kind: "rms", embedDim, eps });
  const layer = crossAttention({ embedDim, numHeads, numKvHeads, ...(map && { linear: map }) });
  return {
    init: (seed) => ({ norm: layerNorm.init(), contextNorm: layerNorm.init(), attention: layer.init(seed) }),
    apply(params, x, context, mask) {
      const normedContext = layerNorm.apply(params.contextNorm, context);
      const added = layer.apply(params.attention, layerNorm.apply(params.norm, x), normedContext, { mask });
      return add(mul(x, 2), added);
    },
  };
}
