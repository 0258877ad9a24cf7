import { checks, ShapeError } from "@qkv/core";
import { checkTensor, expandDims, mul, permute, reshape, sigmoid, type Tensor } from "@qkv/tensor";

/** Multiplies the outputs of heads by gates computed from the layer's input. */
export type OutputGate = {
  /** The call that created it: `outputGate("elementwise")`. */
  readonly name: string;
  /** Number of gates of one token. */
  width(numHeads: number, headDim: number): number;
  /** Heads `[B, H, T, D]` and gate logits `[B, T, width]` to gated heads `[B, H, T, D]`. */
  apply(heads: Tensor, logits: Tensor): Tensor;
};

/**
 * Gated attention: multiplies the outputs of heads by `σ(x Wᵀ)`, between attention and the output projection. A token can thus output
 * nothing, which otherwise needs an attention sink; and the map from values to outputs is no longer linear.
 *
 * A layer gets one more projection, `params.gate`: `[H · D, C]` for `elementwise`, `[H, C]` for `headwise`. With logits
 * of +∞ it is plain attention, with −∞ its output is 0. A cache holds the same numbers as without.
 *
 * @param kind - `elementwise`: a gate for each number of each head, as in Qwen3-Next; `headwise`: one for each head.
 *   Default `elementwise`.
 * @param options - `activation`: from logits to gates. Default `sigmoid`.
 * @returns A gate for `multiHead`, `groupedQuery`, `multiQuery` and `crossAttention`.
 * @throws {ArgumentError} If there is no such kind. {@link ShapeError} If heads and logits do not fit.
 * @see "Gated Attention for Large Language Models" (2025), arXiv:2505.06708
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { causal, groupedQuery, outputGate } from "@qkv/attention";
 *
 * const layer = groupedQuery({ embedDim: 8, numHeads: 4, numKvHeads: 2, mask: causal(), gate: outputGate() });
 * const params = layer.init(1);
 * params.gate?.weight.shape; // => [8, 8]
 * layer.apply(params, randn([1, 3, 8], { seed: 2 })).shape; // => [1, 3, 8]
 * ```
 */
export function outputGate(
  kind: "elementwise" | "headwise" = "elementwise",
  options?: { activation?: (logits: Tensor) => Tensor },
): OutputGate {
  const check = checks("outputGate");
  const { activation = sigmoid } = check.options(options, ["activation"]);
  check.oneOf({ kind }, ["elementwise", "headwise"], "gate each number of a head, or each head.");
  check.type({ activation }, "function");
  const perHead = kind === "headwise";
  return {
    name: `outputGate("${kind}")`,
    width: (numHeads, headDim) => (perHead ? numHeads : numHeads * headDim),
    apply(heads, logits) {
      const [B, H, T, D] = checkTensor("outputGate", "heads", heads).shape as [
        number,
        number,
        number,
        number,
      ];
      const { shape } = checkTensor("outputGate", "logits", logits);
      const width = perHead ? H : H * D;
      if (shape.length !== 3 || shape[0] !== B || shape[1] !== T || shape[2] !== width) {
        const expected = `[${B}, ${T}, ${width}], as heads are [${heads.shape.join(", ")}] and the gate is ${kind}`;
        const fix = "project the layer's input to one number for each gate.";
        check.refuse({ argument: "logits", received: shape, expected, fix }, ShapeError);
      }
      const gates = activation(logits);
      const ofHeads = perHead
        ? expandDims(permute(gates, [0, 2, 1]), 3) // [B, H, T, 1]
        : permute(reshape(gates, [B, T, H, D]), [0, 2, 1, 3]);
      return mul(heads, ofHeads);
    },
  };
}
