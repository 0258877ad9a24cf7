import { checks } from "@qkv/core";
import { linear, type Tensor } from "@qkv/tensor";
import { isQuantized, quantizedLinear, type QuantizedLinearOptions } from "@qkv/tensor/quantized";

/**
 * Computes `y = x Wᵀ + b` with a weight in float32, 8 or 4 bits. Quantized decoders use it.
 *
 * @param options - `activations`: `"int8"` rounds rows of several tokens too, where weights have 8 bits, which is faster
 *   and a little less exact. Default `"float32"`.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { quantizeWeight } from "@qkv/tensor/quantized";
 * import { anyLinear } from "@qkv/transformer";
 *
 * const linear = anyLinear();
 * const weight = tensor([[127, 1]]);
 * linear(tensor([[1, 2]]), weight).toNested(); // => [[129]]
 * linear(tensor([[1, 2]]), quantizeWeight(weight) as never).toNested(); // => [[129]]
 * ```
 */
export function anyLinear(options?: QuantizedLinearOptions): typeof linear {
  const check = checks("anyLinear");
  const { activations = "float32" } = check.options(options, ["activations"]);
  check.oneOf({ activations }, ["float32", "int8"]);
  return (x: Tensor, weight: Tensor, bias?: Tensor): Tensor => {
    const given: unknown = weight;
    if (!isQuantized(given)) return linear(x, weight, bias);
    // 4-bit weights are only multiplied with float activations.
    const whole = activations === "int8" && given.data.dtype === "int8";
    return quantizedLinear(x, given, bias, { activations: whole ? "int8" : "float32" });
  };
}
