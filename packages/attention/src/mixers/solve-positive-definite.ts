import { checks } from "@qkv/core";
import { contiguous, expandDims, mul, neg, run, type Op, type Tensor } from "@qkv/tensor";

/** x of A x = b by the Cholesky factors of A. */
const solveOp: Op<undefined> = {
  name: "solvePositiveDefinite",
  infer: ([, b]) => [{ shape: b!.shape, dtype: b!.dtype }],
  kernel([a, b], [out]) {
    const K = b!.shape.at(-1)!;
    const [A, right, X] = [a!.array, b!.array, out!.array];
    const lower = new Float64Array(K * K);
    const x = new Float64Array(K);
    const systems = X.length / Math.max(1, K);
    for (let n = 0; n < systems; n++) {
      const [from, row] = [a!.offset + n * K * K, b!.offset + n * K];
      for (let i = 0; i < K; i++) {
        for (let j = 0; j <= i; j++) {
          let rest = A[from + i * K + j]!;
          for (let k = 0; k < j; k++) rest -= lower[i * K + k]! * lower[j * K + k]!;
          if (i === j && rest <= 0) refusePivot(rest);
          lower[i * K + j] = i === j ? Math.sqrt(rest) : rest / lower[j * K + j]!;
        }
      }
      for (let i = 0; i < K; i++) {
        let rest = right[row + i]!;
        for (let k = 0; k < i; k++) rest -= lower[i * K + k]! * x[k]!;
        x[i] = rest / lower[i * K + i]!;
      }
      for (let i = K - 1; i >= 0; i--) {
        let rest = x[i]!;
        for (let k = i + 1; k < K; k++) rest -= lower[k * K + i]! * x[k]!;
        x[i] = rest / lower[i * K + i]!;
      }
      X.set(x, n * K);
    }
  },
  flops: ([, b]) => b!.shape.reduce((product, length) => product * length, b!.shape.at(-1)! ** 2) / 3,
  backward({ inputs: [a], outputs: [x], gradients: [dy] }) {
    const back = solvePositiveDefinite(a!, dy!);
    return [neg(mul(expandDims(back, -1), expandDims(x!, -2))), back];
  },
};

/**
 * Solves `A x = b` for symmetric A whose eigenvalues are above 0. Factors in float64.
 *
 * @param a - `[…, K, K]`: only the lower triangle is read.
 * @param b - `[…, K]`
 * @returns `[…, K]`
 */
export function solvePositiveDefinite(a: Tensor, b: Tensor): Tensor {
  return run(solveOp, [contiguous(a), contiguous(b)], undefined);
}

function refusePivot(received: number): never {
  return checks("solvePositiveDefinite").refuse({
    argument: "a",
    received: `a pivot of ${received}`,
    expected: "a matrix whose eigenvalues are above 0",
    fix: "make `regularization` larger, and `beta` 0 or more.",
  });
}
