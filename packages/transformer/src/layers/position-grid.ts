import { matmul, reshape, tensor, type Device, type Tensor } from "@qkv/tensor";

/** Rows and columns of patches. */
export type Grid = readonly [rows: number, columns: number];

/**
 * Interpolates learned positions of a patch grid to another grid: bicubic, as PyTorch's `interpolate` without
 * aligned corners, with clamped edges. `antialias`: widens the kernel for smaller grids.
 *
 * @param positions - `[rows · columns, C]`
 * @returns `[rows · columns, C]` of the grid `to`.
 */
export function interpolatePositions(
  positions: Tensor,
  from: Grid,
  to: Grid,
  { antialias = false } = {},
): Tensor {
  const C = positions.shape[1]!;
  const { device } = positions;
  const matrix = antialias ? antialiasedMatrix : cubicMatrix;
  const tall = matmul(matrix(from[0], to[0], device), reshape(positions, [from[0], from[1] * C]));
  const wide = matmul(matrix(from[1], to[1], device), reshape(tall, [to[0], from[1], C]));
  return reshape(wide, [to[0] * to[1], C]);
}

/** Keys' cubic kernel. PyTorch uses a = -0.75, and -0.5 with antialiasing. */
function cubic(distance: number, a = -0.75): number {
  const x = Math.abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

/** Antialiased interpolation weights, `[to, from]`: the kernel is as wide as the distance between positions, and normalized within the grid. */
function antialiasedMatrix(from: number, to: number, device: Device): Tensor {
  const weights = new Float32Array(to * from);
  const step = from / to;
  const width = Math.max(step, 1);
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * step;
    const kernel = Array.from({ length: from }, (_, source) => cubic((source + 0.5 - center) / width, -0.5));
    const sum = kernel.reduce((a, b) => a + b, 0);
    kernel.forEach((weight, source) => (weights[i * from + source] = weight / sum));
  }
  return tensor(weights, { shape: [to, from], device });
}

/** Interpolation weights, `[to, from]`. */
function cubicMatrix(from: number, to: number, device: Device): Tensor {
  const weights = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const center = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(center) - 1;
    for (let source = first; source < first + 4; source++) {
      const clamped = Math.min(from - 1, Math.max(0, source));
      weights[i * from + clamped] = weights[i * from + clamped]! + cubic(center - source);
    }
  }
  return tensor(weights, { shape: [to, from], device });
}
