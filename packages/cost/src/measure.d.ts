import type { Sample } from "./calibrate.js";
/** A product of `rows` rows with `matrices` matrices of `width` by `width`, one after the other. */
export type ProductWork = {
  readonly rows: number;
  readonly width: number;
  readonly matrices: number;
};
/** What is measured with. */
export type MeasureOptions = {
  /** The clock. Default: `performance.now`. Unit: milliseconds. */
  now?: () => number;
  /** How long each sample is repeated. Default 60. */
  budgetMs?: number;
  /** The largest working set that is measured. Default 256 MB. */
  mostBytes?: number;
};
/**
 * Measures what {@link calibrate} needs, with whatever computes products: working sets from the nearest cache to main
 * memory, many rows at once, and products so small that starting them is all there is to see. The shortest time of
 * several counts, as others on the machine only make it longer.
 *
 * @param prepare - Makes the matrices of one sample, float32, and gives back what multiplies with them.
 *
 * @example
 * ```ts
 * import { calibrate, measure } from "@qkv/cost";
 *
 * // A machine of 40 GFLOP/s and 10 GB/s that needs a microsecond to start, and its clock.
 * let clockMs = 0;
 * const samples = measure(
 *   ({ rows, width, matrices }) => () => {
 *     const [flops, bytes] = [2 * rows * width * width, 4 * width * width + 8 * rows * width];
 *     clockMs += matrices * (0.001 + Math.max(flops / 40e6, bytes / 10e6));
 *   },
 *   { now: () => clockMs },
 * );
 * Math.round(calibrate(samples).flopsPerSecond / 1e9); // => 40
 * ```
 */
export declare function measure(
  prepare: (work: ProductWork) => () => void,
  options?: MeasureOptions,
): Sample[];
