import { checks, refuseShape } from "@qkv/core";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { broadcastToOp } from "./broadcast-to.js";
import { reshaped } from "./reshape.js";

/**
 * The coordinates of a grid, as views: vector i along axis i, repeated along the other axes (`indexing="ij"` in PyTorch and NumPy).
 *
 * @param vectors - Each `[Nᵢ]`.
 * @returns A tensor `[N₀, N₁, …]` for each vector.
 * @throws {ShapeError} If one is not a vector.
 *
 * @example
 * ```ts
 * import { meshgrid, tensor } from "@qkv/tensor";
 *
 * const [rows, columns] = meshgrid([tensor([1, 2]), tensor([7, 8, 9])]);
 * rows?.toNested(); // => [[1, 1, 1], [2, 2, 2]]
 * columns?.toNested(); // => [[7, 8, 9], [7, 8, 9]]
 * ```
 */
export function meshgrid(vectors: readonly Tensor[]): Tensor[] {
  checks("meshgrid").list({ vectors }, "tensors");
  const shape = vectors.map((vector, i) => {
    const vectorShape = checkTensor("meshgrid", `vectors[${i}]`, vector).shape;
    if (vectorShape.length !== 1)
      refuseShape("meshgrid", `vectors[${i}]`, vectorShape, "a vector", "`flatten` it.");
    return vectorShape[0]!;
  });
  return vectors.map((vector, axis) => {
    const alongAxis = shape.map((length, a) => (a === axis ? length : 1));
    return run(broadcastToOp, [reshaped(vector, alongAxis)], { shape });
  });
}
