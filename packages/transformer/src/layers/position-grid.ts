import { matmul, reshape, tensor, type Device, type Tensor } from "@qkv/tensor";

/** Rows and columns of patches. */
export type Grid = readonly [rows: number, columns: number];

/**
 * Learned positions of a grid of patches for another grid: bicubic between the learned ones, with clamped edges, as PyTorch's
 * `interpolate` without antialiasing and without aligned corners.
 *
 * @param positions - `[rows · columns, C]`
 * @returns `[rows · columns, C]` of the grid `to`.
 */
export function interpolatePositions(positions: Tensor, from: Grid, to: Grid): Tensor {
  const C = positions.shape[1]!;
  const { device } = positions;
  const tall = matmul(cubicMatrix(from[0], to[0], device), reshape(positions, [from[0], from[1] * C]));
  const wide = matmul(cubicMatrix(from[1], to[1], device), reshape(tall, [to[0], from[1], C]));
  return reshape(wide, [to[0] * to[1], C]);
}

/** Keys' cubic with a = -0.75, which is PyTorch's. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x <= 1) return (1.25 * x - 2.25) * x * x + 1;
  return x < 2 ? -0.75 * (((x - 5) * x + 8) * x - 4) : 0;
}

/** Weights of `from` places for each of `to`, `[to, from]`. */
function cubicMatrix(from: number, to: number, device: Device): Tensor {
  const weights = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(at) - 1;
    for (let place = first; place < first + 4; place++) {
      const inside = Math.min(from - 1, Math.max(0, place));
      weights[i * from + inside] = weights[i * from + inside]! + cubic(at - place);
    }
  }
  return tensor(weights, { shape: [to, from], device });
}
