import { checks } from "@qkv/core";
import { mul, ones, permute, reshape, rmsNorm, type Tensor } from "@qkv/tensor";

/** Normalizes the queries and keys of a layer. */
export type QkNorm = {
  /** The call that created it: `qkNorm("rms")`. */
  readonly name: string;
  /** Default factor of the dot products, for heads of size D. */
  scale(headDim: number): number;
  /** Shape of the learned gain of heads of size D. Default: `[D]`. */
  gain?(numHeads: number, headDim: number): readonly number[];
  /** True: no gain is learned. */
  readonly gainless?: boolean;
  /** True if the norm is applied after the rotary embedding. */
  readonly afterRope?: boolean;
  /** `[B, H, T, D]` to the same shape; `weight`: a learned gain for each of the D numbers. */
  apply(x: Tensor, weight: Tensor): Tensor;
  /** Normalizes values `[B, Hkv, T, D]` head by head, without a gain. Default: values are as they are. */
  value?(x: Tensor): Tensor;
};

/**
 * Normalizes each query and each key over its D numbers. A score is then the cosine of the angle between them times a
 * temperature, so scores cannot explode during training. Both have a learned gain `[D]`. A layer applies the norm
 * before rotary positions, unless it says otherwise.
 *
 * `rms`: to the root mean square 1, `x / √(mean x² + eps)`. `l2`: to the L2 norm 1. With the default scales, `1 / √D`
 * and `√D`, both give the same scores; with `l2`, the `scale` of the layer is the temperature. Costs 3 · D operations
 * for each query and key; a cache holds normalised keys.
 *
 * @param kind - Default `rms`, as in Qwen3 and Gemma 3.
 * @param options - `eps`: added to the mean square. Default 1e-6. `over`: each head alone, or all heads of a token together
 *   with a gain of `[H · D]`, as in OLMo 2. Default `head`. `gain`: false for none, as in Llama 4. Default true. `place`:
 *   `afterRope` normalizes what is rotated, as Llama 4 and Hunyuan do. Default `beforeRope`. `values`: true normalizes
 *   values too, head by head and without a gain, as Gemma 3n does. Default false.
 * @throws {ArgumentError} If there is no such kind.
 * @see "Query-Key Normalization for Transformers" (2020), arXiv:2010.04245; "Qwen3" (2025), arXiv:2505.09388
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { multiHead, qkNorm } from "@qkv/attention";
 *
 * const layer = multiHead({ embedDim: 8, numHeads: 2, qkNorm: qkNorm() });
 * layer.init(1).queryNorm?.weight.shape; // => [4]
 * layer.apply(layer.init(1), randn([1, 3, 8], { seed: 2 })).shape; // => [1, 3, 8]
 * ```
 */
export function qkNorm(
  kind: "rms" | "l2" = "rms",
  options?: {
    eps?: number;
    over?: "head" | "heads";
    gain?: boolean;
    place?: "beforeRope" | "afterRope";
    values?: boolean;
  },
): QkNorm {
  const check = checks("qkNorm");
  const {
    eps = 1e-6,
    over = "head",
    gain = true,
    place = "beforeRope",
    values = false,
  } = check.options(options, ["eps", "over", "gain", "place", "values"]);
  check.oneOf(
    { kind },
    ["rms", "l2"],
    'take "rms" for models with an RMS norm of queries and keys, "l2" for a cosine with a temperature.',
  );
  check.finite({ eps }, { min: 0, fix: "leave it out for 1e-6." });
  check.oneOf({ over }, ["head", "heads"], 'leave it out for each head alone; "heads" is OLMo 2\'s.');
  check.type({ gain, values }, "boolean");
  check.oneOf({ place }, ["beforeRope", "afterRope"], "leave it out for norms before the rotation.");
  const l2 = kind === "l2";
  const unit = (x: Tensor): Tensor => {
    const normed = rmsNorm(x, ones([x.shape.at(-1)!], { dtype: x.dtype, device: x.device }), { eps });
    return l2 ? mul(normed, 1 / Math.sqrt(x.shape.at(-1)!)) : normed;
  };
  const traits = {
    ...(!gain && { gainless: true }),
    ...(place === "afterRope" && { afterRope: true }),
    ...(values && { value: unit }),
  };
  if (!gain && over === "heads") {
    check.refuse({
      argument: "gain",
      received: gain,
      expected: "true, as the norm is over all heads",
      fix: "leave `gain` or `over` out.",
    });
  }
  if (over === "heads") {
    if (l2) {
      const fix = 'take "rms", or leave `over` out.';
      check.refuse({
        argument: "over",
        received: over,
        expected: '"head" for l2: a length is that of one head',
        fix,
      });
    }
    return {
      name: 'qkNorm("rms", { over: "heads" })',
      ...traits,
      scale: (headDim) => 1 / Math.sqrt(headDim),
      gain: (numHeads, headDim) => [numHeads * headDim],
      apply(x, weight) {
        const [B, H, T, D] = x.shape as [number, number, number, number];
        const rows = reshape(permute(x, [0, 2, 1, 3]), [B, T, H * D]);
        return permute(reshape(rmsNorm(rows, weight, { eps }), [B, T, H, D]), [0, 2, 1, 3]);
      },
    };
  }
  return {
    name: `qkNorm("${kind}")`,
    ...traits,
    scale: (headDim) => (l2 ? Math.sqrt(headDim) : 1 / Math.sqrt(headDim)),
    apply(x, weight) {
      const normed = rmsNorm(x, weight, { eps });
      // A root mean square of 1 is a length of √D.
      return l2 ? mul(normed, 1 / Math.sqrt(x.shape.at(-1)!)) : normed;
    },
  };
}
