import { checks, FormatError } from "@qkv/core";
import { exp, neg, reshape, slice, type Tensor } from "@qkv/tensor";
import { paramAt, type StoredTensor } from "../stored-tensor.js";

/**
 * A tensor that a file holds as minus its exponential: rates at which a state decays, of which a model holds logarithms.
 * Read again it is the same up to the rounding of float32.
 */
export function minusExp(
  place: string,
  name: string,
  { stored, own }: { stored: readonly number[]; own: readonly number[] },
): StoredTensor {
  return (at) => ({
    async read(weights) {
      const fix = "the file is damaged, or of another architecture; fetch it again.";
      const check = checks(weights.fn, { source: weights.name, fix }, FormatError);
      const map = (rate: number) =>
        rate <= 0
          ? Math.log(-rate)
          : check.refuse({ argument: at.name + name, received: rate, expected: "rates of decay, at most 0" });
      return [[at.place + place, reshape(await weights.tensor(at.name + name, stored, { map }), own)]];
    },
    write(params) {
      const x = reshape(paramAt(params, at.place + place) as Tensor, stored);
      return [
        { name: at.name + name, shape: stored, rows: (first, end) => neg(exp(slice(x, 0, first, end))) },
      ];
    },
  });
}
