import type { linear, Tensor } from "@qkv/tensor";
import { isQuantized, type QuantizedWeight } from "@qkv/tensor/quantized";
import { decoder, type DecoderParams } from "../models/decoder.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { anyLinear } from "../quantization/any-linear.js";
import { leafAt } from "./leaves.js";

/**
 * Inputs of the matrix at a path. A rounded one does not tell them, as its panels are filled up: then a token goes through the
 * model, once, and what each matrix reads is measured.
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
    // An expert that the token did not reach has whole panels, as all of published sizes have.
    const perStep = weight.data.dtype === "uint8" ? 8 : 4;
    return measured.get(weight) ?? perStep * weight.data.shape[1]!;
  };
}
