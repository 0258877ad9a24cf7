import { medianFilter } from "./median-filter.js";

/** Numbers `[heads, rows, frames]`, row by row. */
export type HeadWeights = { readonly data: Float32Array; readonly shape: readonly [number, number, number] };

/**
 * Aligns rows of text with frames of sound: of each row, the first frame of the path that follows the attention of all heads. Each
 * head's weights are standardized over the rows, smoothed by a median over frames, and averaged over heads; the path goes through
 * their maxima by dynamic time warping, row after row and frame after frame.
 *
 * @param maps - Weights of cross-attention, of heads that look at the sound of a word. Frames after the end of the sound are left out.
 * @param options - `from`, `until`: the rows that are aligned, the last one excluded; the others count for the mean alone. `medianWidth`: odd. Unit: frames.
 * @returns A frame for each of these rows; none lies before the one of the row above.
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

/** The weights of a head as shares of the frames that are left, with mean 0 and variance 1 over the rows of each frame. */
function standardized(weights: Float32Array, rows: number, frames: number): Float64Array {
  const map = Float64Array.from(weights);
  for (let row = 0; row < rows; row++) {
    const own = map.subarray(row * frames, (row + 1) * frames);
    const sum = own.reduce((a, b) => a + b, 0) || 1;
    own.forEach((weight, frame) => (own[frame] = weight / sum));
  }
  for (let frame = 0; frame < frames; frame++) {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < rows; row++) sum += map[row * frames + frame]!;
    const mean = sum / rows;
    for (let row = 0; row < rows; row++) squares += (map[row * frames + frame]! - mean) ** 2;
    // A frame at which all rows look alike says nothing.
    const deviation = Math.sqrt(squares / rows) || 1;
    for (let row = 0; row < rows; row++)
      map[row * frames + frame] = (map[row * frames + frame]! - mean) / deviation;
  }
  return map;
}

/** The first frame of each row on the path with the largest sum that leads from the first pair to the last. */
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
