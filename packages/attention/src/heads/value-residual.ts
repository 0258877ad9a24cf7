import { checks, ShapeError } from "@qkv/core";
import { add, checkTensor, expandDims, mul, permute, sigmoid, sub, type Tensor } from "@qkv/tensor";

/** Mixes the values of a layer with those of the first one. */
export type ValueResidual = {
  /** The call that created it: `valueResidual()`. */
  readonly name: string;
  /** Mixes the values of the layer and those of the first layer, `[B, Hkv, T, D]`, by logits `[B, T, Hkv]`: `[B, Hkv, T, D]`. */
  mix(value: Tensor, first: Tensor, logits: Tensor): Tensor;
};

/**
 * Value residuals: a layer uses the values `first + σ(x Wᵀ) · (value − first)`, a mixture of its own values and those of the first layer,
 * with a learned share per token and key-value head. Information about tokens that is lost in deep layers thus remains available.
 *
 * Logits of +∞ give the layer's own values, −∞ those of the first layer; initial weights of zero give the mean of both. The weights
 * are `params.valueMix`, `[Hkv, C]`. The first layer does not use this option: its values, `layer.values(params, x)`, are passed to
 * the calls of later layers as `firstValues`. A cache holds mixed values.
 *
 * @returns A value for the option `valueResidual` of `multiHead`, `groupedQuery` and `multiQuery`.
 * @see "Value Residual Learning" (2024), arXiv:2410.17897
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { multiHead, valueResidual } from "@qkv/attention";
 *
 * const heads = { embedDim: 8, numHeads: 2 };
 * const [first, second] = [multiHead(heads), multiHead({ ...heads, valueResidual: valueResidual() })];
 * const x = randn([1, 3, 8], { seed: 1 }); // [B, T, C]
 * const firstValues = first.values(first.init(1), x); // [B, Hkv, T, D]
 * second.apply(second.init(2), x, { firstValues }).shape; // => [1, 3, 8]
 * ```
 */
export function valueResidual(): ValueResidual {
  return {
    name: "valueResidual()",
    mix(value, first, logits) {
      const fn = "valueResidual";
      const [B, Hkv, T] = checkTensor(fn, "value", value).shape as [number, number, number];
      const fits = (argument: string, x: Tensor, expected: readonly number[]) => {
        const { shape } = checkTensor(fn, argument, x);
        if (shape.length === expected.length && shape.every((length, axis) => length === expected[axis]))
          return;
        const fix = "give the values of the first layer for the same tokens, with as many key-value heads.";
        checks(fn).refuse(
          { argument, received: shape, expected: `[${expected.join(", ")}]`, fix },
          ShapeError,
        );
      };
      fits("firstValues", first, value.shape);
      fits("logits", logits, [B, T, Hkv]);
      const share = expandDims(permute(sigmoid(logits), [0, 2, 1]), 3); // [B, Hkv, T, 1]
      return add(first, mul(share, sub(value, first)));
    },
  };
}
