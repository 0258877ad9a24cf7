import { checks } from "@qkv/core";
import { linear, type Tensor } from "@qkv/tensor";
import { isQuantized, quantizedLinear, type QuantizedLinearOptions } from "@qkv/tensor/quantized";

/**
 * Creates a function that computes `y = x Wᵀ + b` with a float32 weight, or one quantized to 8 or 4 bits.
 *
 * @param options - `activations`: `"int8"` quantizes inputs of several tokens too if weights have 8 bits, which is faster
 *   and less exact. Default `"float32"`.
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
    const maybeQuantized: unknown = weight;
    if (!isQuantized(maybeQuantized)) return linear(x, weight, bias);
    // 4-bit weights are only multiplied with float activations.
    const hasInt8Activations = activations === "int8" && maybeQuantized.data.dtype === "int8";
    return quantizedLinear(x, maybeQuantized, bias, { activations: hasInt8Activations ? "int8" : "float32" });
  };
}
