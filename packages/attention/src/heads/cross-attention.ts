import { checks } from "@qkv/core";
import type { KeyValues } from "@qkv/attention-contract";
import { isTensor, type Tensor } from "@qkv/tensor";
import {
  attentionLayer,
  layerOptions,
  type ApplyOptions,
  type AttentionLayer,
  type AttentionParams,
  type GroupedQueryConfig,
} from "./grouped-query.js";

/** Configuration of a cross-attention layer. Default of `numKvHeads`: numHeads, so that nothing is shared. */
export type CrossAttentionConfig = Omit<GroupedQueryConfig, "rope" | "valueResidual" | "numKvHeads"> & {
  numKvHeads?: number;
};

/** A layer whose keys and values come from another sequence. */
export type CrossAttentionLayer = Pick<AttentionLayer, "config" | "init" | "keyValues"> & {
  /** x `[B, T, C]` and context `[B, S, contextDim]`, or the result of `keyValues` for it, to `[B, T, C]`. */
  apply(
    params: AttentionParams,
    x: Tensor,
    context: Tensor | KeyValues,
    options?: Pick<ApplyOptions, "mask" | "bias" | "dropoutSeed" | "trace">,
  ): Tensor;
};

/**
 * Cross-attention: queries come from one sequence, keys and values from another. For example, a decoder attends to the output of
 * an encoder, or a caption attends to the patches of an image.
 *
 * Costs T · S dot products. The context does not change during generation: project it once with `keyValues`, and pass the result to
 * every step. There is no rotary embedding, since distances between positions of two sequences have no meaning.
 *
 * @throws {ArgumentError} If the sizes do not divide.
 * @see "Attention Is All You Need" (2017), arXiv:1706.03762, section 3.2.3
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { crossAttention } from "@qkv/attention";
 *
 * const layer = crossAttention({ embedDim: 8, contextDim: 6, numHeads: 2 });
 * const params = layer.init(1);
 * const source = layer.keyValues(params, randn([1, 9, 6], { seed: 2 })); // once
 * layer.apply(params, randn([1, 1, 8], { seed: 3 }), source).shape; // => [1, 1, 8]
 * ```
 */
export function crossAttention(config: CrossAttentionConfig): CrossAttentionLayer {
  const check = checks("crossAttention");
  const names = layerOptions().filter((name) => name !== "rope" && name !== "valueResidual");
  const checked = check.options(config, [...names, "numKvHeads"], "config");
  const layer = attentionLayer("crossAttention", {
    ...checked,
    numKvHeads: checked.numKvHeads ?? checked.numHeads,
  });
  return {
    config: layer.config,
    init: layer.init,
    keyValues: layer.keyValues,
    apply(params, x, context, call) {
      const options = check.options(call, ["mask", "bias", "dropoutSeed", "trace"]);
      if (!isTensor(context) && !Array.isArray(context?.key)) {
        check.refuse({
          argument: "context",
          received: context,
          expected: "a tensor [B, S, contextDim], or what `layer.keyValues` made of one",
          fix: "give the sequence to attend to as third argument; for one sequence take `multiHead`.",
        });
      }
      return layer.apply(params, x, { ...options, context });
    },
  };
}
