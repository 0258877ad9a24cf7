import { add, sqrt, square, type Tensor } from "@qkv/tensor";
import { fft, irfft, rfft, type FftOptions } from "@qkv/tensor/fft";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";

const attributes = {
  n: undefined as number | undefined,
  dim: -1,
  norm: "backward" as NonNullable<FftOptions["norm"]>,
  note: "",
};
const optionsOf = ({ n, dim, norm }: typeof attributes): FftOptions => ({
  axis: dim,
  norm,
  ...(n !== undefined && { n }),
});

/** Fourier transforms, with complex numbers as two tensors. */
export const transforms: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "rfft",
    inputs: ["input"],
    attributes,
    run({ input }, attributes): Record<string, Tensor> {
      const { real, imag } = rfft(input, optionsOf(attributes));
      if (attributes.note !== "magnitude") return { real, imag };
      return { magnitude: sqrt(add(square(real), square(imag))) };
    },
  }),
  defineReferenceOp({
    name: "irfft",
    inputs: ["real", "imag"],
    attributes,
    run: ({ real, imag }, attributes) => ({ output: irfft({ real, imag }, optionsOf(attributes)) }),
  }),
  defineReferenceOp({
    name: "fft",
    inputs: ["real", "imag"],
    attributes,
    run({ real, imag }, attributes) {
      const y = fft({ real, imag }, optionsOf(attributes));
      return { out_real: y.real, out_imag: y.imag };
    },
  }),
];
