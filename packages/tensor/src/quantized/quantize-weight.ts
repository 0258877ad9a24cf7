import { checkOptions, isPacked, refuse, refuseShape, unpackHalf } from "@qkv/core";
import { tensor } from "../create.js";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { groupLength, panelRows, quantizedShapes, type QuantizedWeight } from "./quantized-weight.js";

/**
 * Quantizes a weight to integers with scales. With 8 bits, each output has a scale, and integers are from −127 to 127; with 4 bits,
 * each 32 inputs of an output have one, and integers are from −7 to 7. The error of a number is at most half a scale.
 *
 * @param weight - `[out, in]`, as checkpoints store it, in floats. 16-bit floats are converted row by row. On a device whose
 *   memory the host can access.
 * @param options - `bits`: 8 (default) or 4.
 * @returns The quantized weight, on the device of the weight: a quarter of its bytes, or with 4 bits about an eighth.
 * @throws {ShapeError} If the weight is not a matrix. {@link ArgumentError} if a number is not finite, or `bits` is not 4 or 8.
 * @see "LLM.int8()" (2022), arXiv:2208.07339; "GPTQ" (2022), arXiv:2210.17323, for the cost of rounding
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { dequantizeWeight, quantizeWeight } from "@qkv/tensor/quantized";
 *
 * const quantized = quantizeWeight(tensor([[127, -64, 0.4, 3]]));
 * dequantizeWeight(quantized, 4).toNested(); // => [[127, -64, 0, 3]]
 * ```
 */
export function quantizeWeight(weight: Tensor, options?: { bits?: 4 | 8 }): QuantizedWeight {
  const fn = "quantizeWeight";
  const { bits = 8 } = checkOptions(fn, options, ["bits"]);
  const { shape, dtype, device } = checkTensor(fn, "weight", weight);
  const refused: unknown = bits;
  if (refused !== 4 && refused !== 8) {
    refuse(fn, "bits", refused, "4 or 8", "leave it out for 8, which few models notice.");
  }
  if (shape.length !== 2) {
    refuseShape(fn, "weight", shape, "[out, in]", "reshape it to one row for each output.");
  }
  const [outputs, inputs] = shape as [number, number];
  const { data } = weight;
  const group = bits === 8 ? Math.max(1, inputs) : groupLength;
  const shapes = quantizedShapes(outputs, inputs, bits);
  const [panels, steps] = shapes.data;
  const [, groups] = shapes.scale;
  const bytes = panels * steps * panelRows * 4;
  const scale = new Float32Array(outputs * groups);
  const whole = bits === 8 ? new Int8Array(bytes) : new Uint8Array(bytes).fill(0x88);
  const maxInteger = bits === 8 ? 127 : 7;
  for (let n = 0; n < outputs; n++) {
    const stored = data.subarray(n * inputs, (n + 1) * inputs);
    const row = isPacked(dtype) ? unpackHalf(stored as Uint16Array, dtype) : stored;
    for (let g = 0; g < groups; g++) {
      const end = Math.min(inputs, (g + 1) * group);
      let largest = 0;
      for (let k = g * group; k < end; k++) largest = Math.max(largest, Math.abs(row[k]!));
      if (!Number.isFinite(largest)) {
        refuse(fn, `weight[${n}]`, largest, "finite numbers", "train or load the weight again.");
      }
      const step = Math.fround(largest / maxInteger);
      scale[n * groups + g] = step;
      for (let k = g * group; k < end && step > 0; k++) {
        const number = Math.max(-maxInteger, Math.min(maxInteger, Math.round(row[k]! / step)));
        storeInteger(whole, bits, steps, n, k, number);
      }
    }
  }
  return {
    data: tensor(whole, {
      shape: shapes.data,
      dtype: bits === 8 ? "int8" : "uint8",
      device,
    }),
    scale: tensor(scale, { shape: shapes.scale, device }),
  };
}

/** Stores the integer of output n and input k. */
function storeInteger(
  to: Int8Array | Uint8Array,
  bits: 4 | 8,
  steps: number,
  n: number,
  k: number,
  number: number,
): void {
  const inStep = bits === 8 ? 4 : 8;
  const row = (Math.floor(n / panelRows) * steps + Math.floor(k / inStep)) * panelRows + (n % panelRows);
  const at = row * 4 + (k % 4);
  if (bits === 8) to[at] = number;
  else if (k % 8 < 4) to[at] = (to[at]! & 0xf0) | (number + 8);
  else to[at] = (to[at]! & 0x0f) | ((number + 8) << 4);
}
