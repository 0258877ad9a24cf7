import { eachRow, refuse, refuseShape } from "@qkv/core";
import { checkTensor, run, type Op } from "./op.js";
import type { Tensor } from "./tensor.js";

/** The side of a diagonal that is kept: `column - row` ≤ `diagonal` if `lower`, else ≥. */
export type Triangle = { readonly lower: boolean; readonly diagonal: number };

export const triangleOp: Op<Triangle> = {
  name: "triangle",
  dataMovement: true,
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  kernel([x], [out], { lower, diagonal }) {
    const rank = x!.shape.length;
    const [rows, columns] = x!.shape.slice(-2) as [number, number];
    const [rowStep, columnStep] = x!.strides.slice(-2) as [number, number];
    const batches = [out!, x!].map(({ strides }) => strides.slice(0, -2));
    eachRow(x!.shape.slice(0, rank - 2), batches, [0, x!.offset], ([o, i], [outStep, inStep], n) => {
      for (let k = 0; k < n; k++) {
        for (let row = 0; row < rows; row++) {
          const edge = Math.min(columns, Math.max(0, row + diagonal + (lower ? 1 : 0)));
          const to = o! + k * outStep! + row * columns;
          const from = i! + k * inStep! + row * rowStep;
          const end = lower ? edge : columns;
          for (let c = lower ? 0 : edge; c < end; c++) out!.array[to + c] = x!.array[from + c * columnStep]!;
        }
      }
    });
  },
  backward: ({ gradients: [dy], attributes }) => [run(triangleOp, [dy!], attributes)],
};

/** Keeps one side of a diagonal of the last two axes, zeros elsewhere. */
export function triangle(fn: string, x: Tensor, { lower, diagonal }: Triangle): Tensor {
  if (checkTensor(fn, "x", x).shape.length < 2) {
    refuseShape(fn, "x", x.shape, "two axes or more: […, rows, columns]", "`reshape` it to a matrix.");
  }
  if (!Number.isInteger(diagonal)) {
    refuse(fn, "diagonal", diagonal, "an integer", "0 is the main diagonal, 1 the one above it.");
  }
  return run(triangleOp, [x], { lower, diagonal });
}
