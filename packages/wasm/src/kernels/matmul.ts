import type { View } from "@qkv/tensor";
import { withCall } from "../call.js";
import type { Engine } from "../engine.js";

/** c = a · b over a batch. One row against a matrix streams the matrix past; more rows are packed in blocks. */
export function matmulKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[]): boolean => {
    const [a, b] = inputs as [View, View];
    const c = outputs[0]!;
    if (a.dtype !== "float32") return false;
    const [M, K] = a.shape.slice(-2) as [number, number];
    const N = b.shape.at(-1)!;
    if (M === 0 || N === 0 || K === 0) return false;
    const [aRow, aColumn] = a.strides.slice(-2) as [number, number];
    const [bRow, bColumn] = b.strides.slice(-2) as [number, number];
    const batch = c.shape.slice(0, -2);
    return withCall(engine, (call) => {
      const { exports } = engine;
      const [pa, pb, pc] = call.place(inputs, outputs) as [number, number, number];
      const rows = M === 1 && aColumn === 1 && (bRow === 1 || bColumn === 1);
      const scratch = rows ? 0 : call.scratch(exports["matmulScratch"]!(N, K));
      const count = batch.reduce((x, y) => x * y, 1);
      for (let n = 0; n < count; n++) {
        const left = pa + 4 * batchOffset(n, batch, a);
        const right = pb + 4 * batchOffset(n, batch, b);
        const to = pc + 4 * n * M * N;
        if (!rows) exports["matmul"]!(left, aRow, aColumn, right, bRow, bColumn, to, M, N, K, scratch);
        else if (bRow === 1) exports["rowTimesColumns"]!(left, right, bColumn, to, N, K);
        else exports["rowTimesRows"]!(left, right, bRow, to, N, K);
      }
      return true;
    });
  };
}

/** Where the n-th of a batch begins in an operand that broadcasts to it, in numbers from its first. */
function batchOffset(n: number, batch: readonly number[], { shape, strides }: View): number {
  let offset = 0;
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const own = axis - batch.length + shape.length - 2;
    const index = n % batch[axis]!;
    n = Math.floor(n / batch[axis]!);
    if (own >= 0 && shape[own] !== 1) offset += index * strides[own]!;
  }
  return offset;
}
