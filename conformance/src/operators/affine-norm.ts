import { add, broadcastTo, cast, mul, ones, type Tensor } from "@qkv/tensor";

/** TensorProto's data types float32 and float64. */
const stages: Record<number, "float32" | "float64"> = { 1: "float32", 11: "float64" };

/**
 * A norm over the axes from `axis` on, with a scale and a bias that broadcast to the input. Computed in the wider of the
 * input's dtype and `stash_type`: the attribute exists to give 16-bit inputs more precision, and its default must not reduce
 * that of float64. ONNX Runtime does the same.
 *
 * @param norm - The norm of a tensor, with a weight and a bias of the shape of its row.
 * @returns The output, the input in the type of the first stage, and the dtype of that stage's outputs.
 */
export function affineNorm(
  { X, Scale, B }: { X: Tensor; Scale: Tensor; B?: Tensor | undefined },
  { axis, stash_type }: { axis: number; stash_type: number },
  norm: (x: Tensor, weight: Tensor, bias?: Tensor) => Tensor,
): { output: Tensor; stage: Tensor; stashed: Tensor["dtype"] } {
  const stashed = stages[stash_type] ?? X.dtype;
  const stage = X.dtype === "float64" ? X : cast(X, stashed);
  const row = X.shape.slice(axis < 0 ? axis + X.shape.length : axis);
  const inRow = [Scale, ...(B ? [B] : [])].every(({ shape }) => shape.length <= row.length);
  if (stage.dtype === X.dtype && inRow) {
    return { output: norm(X, broadcastTo(Scale, row), B && broadcastTo(B, row)), stage, stashed };
  }
  const normal = norm(stage, ones(row, { dtype: stage.dtype, device: X.device }));
  const scaled = mul(cast(normal, X.dtype), Scale);
  return { output: B ? add(scaled, B) : scaled, stage, stashed };
}
