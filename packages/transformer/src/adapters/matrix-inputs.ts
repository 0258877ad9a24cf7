import type { linear, Tensor } from "@qkv/tensor";
import { isQuantized, type QuantizedWeight } from "@qkv/tensor/quantized";
import { decoder, type DecoderParams } from "../models/decoder.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { anyLinear } from "../quantization/any-linear.js";
import { leafAt } from "./leaves.js";

/**
 * Input dimension of the matrix at a path. A quantized matrix is padded and does not have it: then one token is processed by the
 * model, and the input of each matrix is measured.
 */
export function matrixInputs({
  config,
  params,
}: {
  config: DecoderConfig;
  params: DecoderParams;
}): (path: string) => number {
  let measured: Map<unknown, number> | undefined;
  const measure = () => {
    const found = new Map<unknown, number>();
    const map = anyLinear();
    const noted: typeof linear = (x, weight, bias) => {
      found.set(weight, x.shape.at(-1)!);
      return map(x, weight, bias);
    };
    decoder(config, { linear: noted }).apply(params, [0]);
    return found;
  };
  return (path) => {
    const weight = leafAt(params, path) as Tensor | QuantizedWeight;
    if (!isQuantized(weight)) return weight.shape[1]!;
    measured ??= measure();
    // An expert that the token did not use: published sizes need no padding.
    const perStep = weight.data.dtype === "uint8" ? 8 : 4;
    return measured.get(weight) ?? perStep * weight.data.shape[1]!;
  };
}
