import type { linear, Tensor } from "@qkv/tensor";
import { isQuantized, type QuantizedWeight } from "@qkv/tensor/quantized";
import { decoder, type DecoderParams } from "../models/decoder.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { anyLinear } from "../quantization/any-linear.js";
import { leafAt } from "./leaves.js";

/**
 * Returns a function from the path of a matrix to its input dimension. The rows of a quantized matrix are padded: its input
 * dimension is measured by processing one token and recording the input of each matrix.
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
    const inputs = new Map<unknown, number>();
    const map = anyLinear();
    const recordingLinear: typeof linear = (x, weight, bias) => {
      inputs.set(weight, x.shape.at(-1)!);
      return map(x, weight, bias);
    };
    decoder(config, { linear: recordingLinear }).apply(params, [0]);
    return inputs;
  };
  return (path) => {
    const weight = leafAt(params, path) as Tensor | QuantizedWeight;
    if (!isQuantized(weight)) return weight.shape[1]!;
    measured ??= measure();
    // The token did not use this expert. Its rows are taken as unpadded, as they are at the widths of published models.
    const valuesPerElement = weight.data.dtype === "uint8" ? 8 : 4;
    return measured.get(weight) ?? valuesPerElement * weight.data.shape[1]!;
  };
}
