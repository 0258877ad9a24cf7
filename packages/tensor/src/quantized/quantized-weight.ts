import { refuse } from "@qkv/core";
import { isTensor, type Tensor } from "../tensor.js";

/**
 * A quantized weight `[out, in]`, in the order in which kernels read it: panels of 8 outputs, with 4 consecutive inputs of each
 * output. It is plain data that can be saved and moved like other params.
 */
export type QuantizedWeight = {
  /**
   * 8 bits: int8 `[⌈out / 8⌉, ⌈in / 4⌉, 8, 4]`, input `4 j + c` of output `8 p + r` at `[p, j, r, c]`.
   * 4 bits: uint8 `[⌈out / 8⌉, 4 ⌈in / 32⌉, 8, 4]`, of input `8 j + c` the lower half of `[p, j, r, c]`, of input
   * `8 j + 4 + c` the upper half, both with an offset of 8.
   */
  readonly data: Tensor;
  /** Scales. 8 bits: `[out, 1]`; 4 bits: `[out, ⌈in / 32⌉]`, one for each 32 inputs. */
  readonly scale: Tensor;
};

/** Number of inputs that share a scale in 4-bit weights. */
export const groupLength = 32;

/** Outputs per panel. */
export const panelRows = 8 as const;

/** Returns true for a quantized weight, false for a tensor. */
export function isQuantized(value: unknown): value is QuantizedWeight {
  const { data, scale } = (value ?? {}) as Partial<QuantizedWeight>;
  return isTensor(data) && isTensor(scale) && data.shape.length === 4;
}

/** Bits per integer of a weight, from the dtype of its data. */
export function weightBits({ data }: { data: Pick<Tensor, "dtype"> }): 4 | 8 {
  return data.dtype === "uint8" ? 4 : 8;
}

/** Number of steps of a panel for `inputs` inputs. A step has 4 bytes for each output. */
export function panelSteps(bits: 4 | 8, inputs: number): number {
  return bits === 8 ? Math.ceil(inputs / 4) : 4 * Math.ceil(inputs / groupLength);
}

/** Shapes of a quantized weight's data and scales. */
export function quantizedShapes(
  outputs: number,
  inputs: number,
  bits: 4 | 8,
): { data: [panels: number, steps: number, 8, 4]; scale: [outputs: number, groups: number] } {
  const groups = bits === 8 ? 1 : Math.max(1, Math.ceil(inputs / groupLength));
  return {
    data: [Math.ceil(outputs / panelRows), panelSteps(bits, inputs), panelRows, 4],
    scale: [outputs, groups],
  };
}

/** Checks a quantized weight with `inputs` inputs, and returns its number of outputs. */
export function checkQuantized(fn: string, weight: QuantizedWeight, inputs: number): number {
  const fix = "make it with `quantizeWeight(weight)`, of a weight [out, in] that belongs to x.";
  if (!isQuantized(weight)) refuse(fn, "weight", weight, "a quantized weight `{ data, scale }`", fix);
  const { data, scale } = weight;
  const bits = weightBits(weight);
  const outputs = scale.shape[0]!;
  const wanted = quantizedShapes(outputs, inputs, bits);
  if (
    data.dtype !== (bits === 8 ? "int8" : "uint8") ||
    data.shape.join() !== wanted.data.join() ||
    scale.dtype !== "float32" ||
    scale.shape.join() !== wanted.scale.join()
  ) {
    const received = `${data.dtype} [${data.shape.join(", ")}] with ${scale.dtype} scales [${scale.shape.join(", ")}]`;
    const expected = `${bits === 8 ? "int8" : "uint8"} [${wanted.data.join(", ")}] with float32 scales [${wanted.scale.join(", ")}], for ${inputs} inputs`;
    refuse(fn, "weight", received, expected, fix);
  }
  return outputs;
}
