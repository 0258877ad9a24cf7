import { eachRow, sizeOf } from "@qkv/core";
import { matmul, neg, run, transpose, tril, type Op, type Tensor } from "@qkv/tensor";

/** (I + A)⁻¹ by forward substitution; row i of the inverse = eᵢ − Σ_{j<i} A[i, j] · row j. */
const unitLowerInverseOp: Op<undefined> = {
  name: "unitLowerInverse",
  infer: ([a]) => [{ shape: a!.shape, dtype: a!.dtype }],
  kernel([a], [out]) {
    const size = a!.shape.at(-1)!;
    const [down, right] = a!.strides.slice(-2) as [number, number];
    const batches = a!.shape.slice(0, -2);
    const strides = [out!, a!].map((x) => x.strides.slice(0, -2));
    const row = new Float64Array(size);
    eachRow(batches, strides, [0, a!.offset], ([o, i], [dO, di], count) => {
      for (let n = 0; n < count; n++) {
        const [to, from] = [o! + n * dO!, i! + n * di!];
        for (let r = 0; r < size; r++) {
          row.fill(0, 0, r);
          for (let j = 0; j < r; j++) {
            const factor = a!.array[from + r * down + j * right]!;
            if (factor !== 0) for (let c = 0; c <= j; c++) row[c]! -= factor * out!.array[to + j * size + c]!;
          }
          for (let c = 0; c < r; c++) out!.array[to + r * size + c] = row[c]!;
          out!.array[to + r * size + r] = 1;
        }
      }
    });
  },
  // A sixth of the products of two full matrices, each an operation of two.
  flops: ([a]) => (sizeOf(a!.shape) * a!.shape.at(-1)!) / 3,
  backward({ outputs: [inverse], gradients: [dy] }) {
    const back = transpose(inverse!);
    return [tril(neg(matmul(matmul(back, dy!), back)), -1)];
  },
};

/**
 * `(I + A)⁻¹`, whose diagonal is 1.
 *
 * @param a - `[…, L, L]`; its numbers on the diagonal and above are not read.
 */
export function unitLowerInverse(a: Tensor): Tensor {
  return run(unitLowerInverseOp, [a], undefined);
}
