import { checkOptions, refuse, sizeOf, type TypedArray } from "@qkv/core";
import { checkTensor, run, type Op } from "../op.js";
import { add } from "../ops/add.js";
import { contiguous } from "../ops/contiguous.js";
import { matmul } from "../ops/matmul.js";
import { sumTo } from "../ops/sum-to.js";
import type { Tensor } from "../tensor.js";
import { dequantizeOp } from "./dequantize-weight.js";
import { weightBits, checkQuantized, groupLength, type QuantizedWeight } from "./quantized-weight.js";
import { wholeNumber } from "./whole-number.js";

type Activations = "float32" | "int8";

/** Inputs: x, `[…, in]` contiguous or `[M, in]`; data, scales and optionally a bias `[out]`. Output: `[…, out]`. */
export const quantizedMatmulOp: Op<{ activations: Activations }> = {
  name: "quantizedMatmul",
  infer: ([x, , scale]) => [{ shape: [...x!.shape.slice(0, -1), scale!.shape[0]!], dtype: x!.dtype }],
  kernel([x, data, scale, bias], [out], { activations }) {
    const K = x!.shape.at(-1)!;
    const M = sizeOf(x!.shape.slice(0, -1));
    const [row, column] = x!.shape.length === 2 ? x!.strides : [K, 1];
    const [N, groups] = scale!.shape as [number, number];
    const bits = weightBits({ data: data! });
    const numbers = data!.array.subarray(data!.offset);
    const weight = new Float64Array(K);
    const rows = Array.from({ length: M }, (_, m) =>
      contiguousRow(x!.array, x!.offset + m * row!, column!, K),
    );
    const whole = activations === "int8" ? rows.map(quantizeRow) : undefined;
    for (let n = 0; n < N; n++) {
      const from = bias ? bias.array[bias.offset + n * bias.strides[0]!]! : 0;
      for (let k = 0; k < K; k++) {
        const group = bits === 8 ? 0 : Math.floor(k / groupLength);
        const factor = scale!.array[scale!.offset + n * groups + group]!;
        weight[k] = factor * wholeNumber(numbers, bits, data!.shape[1]!, n, k);
      }
      for (let m = 0; m < M; m++) {
        const row = whole?.[m]!.numbers ?? rows[m]!;
        let sum = 0;
        for (let k = 0; k < K; k++) sum += row[k]! * weight[k]!;
        out!.array[m * N + n] = sum * (whole?.[m]!.step ?? 1) + from;
      }
    }
  },
  flops: ([x, , , bias], [y]) => sizeOf(y!.shape) * (2 * x!.shape.at(-1)! + (bias ? 1 : 0)),
  // The rounding of activations is treated as the identity; the weight has no gradient.
  backward: ({ inputs: [x, data, scale, bias], gradients: [dy] }) => [
    matmul(dy!, run(dequantizeOp, [data!, scale!], { inputs: x!.shape.at(-1)! })),
    undefined,
    undefined,
    bias && sumTo(dy!, bias.shape),
  ],
};

function contiguousRow(array: TypedArray, at: number, step: number, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, k) => array[at + k * step]!);
}

/**
 * Quantizes a row of activations to integers from −63 to 63 and a scale (`step`). They have seven bits because that is what the dot
 * product of bytes supports on every machine. Computed in float32, ties to even, so that all devices round alike.
 */
function quantizeRow(row: Float64Array): { numbers: Float64Array; step: number } {
  const largest = row.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const per = Math.fround(63 / largest);
  // For rows of zeros, of subnormal numbers, or with NaN, there is no scale.
  if (!(per < Infinity)) return { numbers: row, step: 1 };
  const numbers = row.map((x) => roundToEven(Math.max(-63, Math.min(63, Math.fround(Math.fround(x) * per)))));
  return { numbers, step: Math.fround(largest / 63) };
}

function roundToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** Options of a quantized layer. */
export type QuantizedLinearOptions = {
  /**
   * `"float32"` (default): activations are not quantized. `"int8"`: each row is quantized with its own scale (dynamic quantization),
   * which is several times faster on machines with a dot product of bytes, and adds noise of about 1.5 % of the result. Only for
   * weights of 8 bits.
   */
  activations?: Activations;
};

/**
 * `y = x Wᵀ + b` with a quantized weight. `x` and the bias have gradients, the weight has none.
 *
 * @param x - `[…, in]`, float32
 * @param weight - From `quantizeWeight`.
 * @param bias - `[out]`, or undefined for none.
 * @returns `[…, out]`
 * @throws {ArgumentError} If the weight has another number of inputs, x is not float32, or for int8 activations with 4-bit weights.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { quantizedLinear, quantizeWeight } from "@qkv/tensor/quantized";
 *
 * const weight = quantizeWeight(tensor([[127, 1], [0, 127]]));
 * quantizedLinear(tensor([[1, 2]]), weight).toNested(); // => [[129, 254]]
 * ```
 */
export function quantizedLinear(
  x: Tensor,
  weight: QuantizedWeight,
  bias?: Tensor,
  options?: QuantizedLinearOptions,
): Tensor {
  const fn = "quantizedLinear";
  const { activations = "float32" } = checkOptions(fn, options, ["activations"]);
  const { shape, dtype } = checkTensor(fn, "x", x);
  if (dtype !== "float32" || shape.length === 0) {
    const received = `${dtype} [${shape.join(", ")}]`;
    refuse(fn, "x", received, "float32 […, in]", '`cast(x, "float32")`, with inputs as the last axis.');
  }
  const inputs = shape.at(-1)!;
  const outputs = checkQuantized(fn, weight, inputs);
  const requested: unknown = activations;
  if (requested !== "float32" && (requested !== "int8" || weightBits(weight) === 4)) {
    const expected = weightBits(weight) === 4 ? '"float32", as the weight has 4 bits' : '"float32" or "int8"';
    refuse(fn, "activations", requested, expected, "leave it out for float32.");
  }
  const rows = shape.length === 2 ? x : contiguous(x);
  const operands = [rows, contiguous(weight.data), contiguous(weight.scale)];
  if (bias === undefined) return run(quantizedMatmulOp, operands, { activations });
  const biasTensor = checkTensor(fn, "bias", bias);
  const fits = biasTensor.dtype === dtype && biasTensor.shape.length === 1 && biasTensor.shape[0] === outputs;
  if (fits) return run(quantizedMatmulOp, [...operands, biasTensor], { activations });
  return add(run(quantizedMatmulOp, operands, { activations }), biasTensor);
}
