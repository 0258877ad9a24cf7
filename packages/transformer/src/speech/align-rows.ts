import { medianFilter } from "./median-filter.js";

/** Attention weights `[heads, rows, frames]`, in row-major order. */
export type HeadWeights = { readonly data: Float32Array; readonly shape: readonly [number, number, number] };

/**
 * Aligns rows of text with frames of audio, and returns the first frame of each row on the best path. Each
 * head's weights are standardized over rows, smoothed by a median filter over frames, and averaged over heads. The path
 * maximizes their sum, by dynamic time warping.
 *
 * @param maps - Cross-attention weights of alignment heads, without frames after the end of the audio.
 * @param options - `from`, `until`: the rows to align, the last one excluded; the others are only used for standardization. `medianWidth`: odd. Unit: frames.
 * @returns The first frame of each aligned row, in non-decreasing order.
 * @see "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), arXiv:2212.04356; "Dynamic programming algorithm
 *   optimization for spoken word recognition" (1978), doi:10.1109/TASSP.1978.1163055
 */
export function alignRows(
  { data, shape: [heads, rows, frames] }: HeadWeights,
  { from, until, medianWidth }: { from: number; until: number; medianWidth: number },
): number[] {
  const mean = new Float64Array((until - from) * frames);
  for (let head = 0; head < heads; head++) {
    const map = standardized(data.subarray(head * rows * frames, (head + 1) * rows * frames), rows, frames);
    for (let row = from; row < until; row++) {
      const smooth = medianFilter(map.subarray(row * frames, (row + 1) * frames), medianWidth);
      for (let frame = 0; frame < frames; frame++)
        mean[(row - from) * frames + frame]! += smooth[frame]! / heads;
    }
  }
  return warpedPath(mean, until - from, frames);
}

/** The weights of a head, normalized over the remaining frames, then standardized over the rows of each frame. */
function standardized(weights: Float32Array, rows: number, frames: number): Float64Array {
  const map = Float64Array.from(weights);
  for (let row = 0; row < rows; row++) {
    const rowWeights = map.subarray(row * frames, (row + 1) * frames);
    const sum = rowWeights.reduce((a, b) => a + b, 0) || 1;
    rowWeights.forEach((weight, frame) => (rowWeights[frame] = weight / sum));
  }
  for (let frame = 0; frame < frames; frame++) {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < rows; row++) sum += map[row * frames + frame]!;
    const mean = sum / rows;
    for (let row = 0; row < rows; row++) squares += (map[row * frames + frame]! - mean) ** 2;
    // A frame with equal weights in all rows has no information.
    const deviation = Math.sqrt(squares / rows) || 1;
    for (let row = 0; row < rows; row++)
      map[row * frames + frame] = (map[row * frames + frame]! - mean) / deviation;
  }
  return map;
}

/** The first frame of each row on the path with the largest sum from the first cell to the last. */
function warpedPath(values: Float64Array, rows: number, frames: number): number[] {
  const [diagonal, down, right] = [0, 1, 2];
  const sums = new Float64Array((rows + 1) * (frames + 1)).fill(-Infinity);
  const steps = new Uint8Array(sums.length);
  const at = (row: number, frame: number) => row * (frames + 1) + frame;
  sums[0] = 0;
  for (let row = 1; row <= rows; row++)
    for (let frame = 1; frame <= frames; frame++) {
      const before = [sums[at(row - 1, frame - 1)]!, sums[at(row - 1, frame)]!, sums[at(row, frame - 1)]!];
      const [a, b, c] = before as [number, number, number];
      const step = a > b && a > c ? diagonal : b > a && b > c ? down : right;
      steps[at(row, frame)] = step;
      sums[at(row, frame)] = before[step]! + values[(row - 1) * frames + frame - 1]!;
    }
  const first = new Array<number>(rows).fill(0);
  let [row, frame] = [rows, frames];
  while (row > 0 && frame > 0) {
    first[row - 1] = frame - 1;
    const step = steps[at(row, frame)]!;
    if (step !== right) row--;
    if (step !== down) frame--;
  }
  return first;
}
