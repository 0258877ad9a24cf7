import { checks, ShapeError } from "@qkv/core";
import { checkTensor, type Tensor } from "@qkv/tensor";

/** Refuses an input of a layer that is not `[B, T, embedDim]`. */
export function checkWide(x: Tensor, embedDim: number): void {
  const { shape } = checkTensor("apply", "x", x);
  if (shape.length === 3 && shape[2] === embedDim) return;
  const expected = `[B, T, ${embedDim}], as embedDim is ${embedDim}`;
  const fix = "give batches of rows as wide as the layer.";
  checks("apply").refuse({ argument: "x", received: shape, expected, fix }, ShapeError);
}
