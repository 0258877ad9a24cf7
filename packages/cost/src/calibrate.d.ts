import { type Machine } from "./machine.js";
/** Something that ran: what it took, and how long. */
export type Sample = {
  readonly flops: number;
  readonly bytes: number;
  /** Operations that the runtime started. */
  readonly calls: number;
  /** What it reads each time it runs again. Default: `bytes`. Samples of one working set share a speed of memory. */
  readonly workingSetBytes?: number;
  readonly timeMs: number;
};
/** What a machine is called, and what no sample tells. */
export type Calibration = {
  name?: string;
  memoryBytes?: number;
  source?: string;
};
/**
 * Finds the machine that explains what was measured: each sample takes its arithmetic or its bytes, whichever takes
 * longer, and an overhead for each of its operations. Errors count in proportion to the time, so that short samples
 * matter as much as long ones. Where samples differ in what they read again and again, each such size gets a speed of
 * memory of its own (`levels`). What no sample waits for gets the speed at which it was seen, which is a bound from below.
 *
 * @param samples - Three or more: one that computes much for its bytes, one that computes little, one that is small.
 *   {@link measure} makes them.
 * @throws {ArgumentError} If there are fewer than three, or a figure is not above 0.
 *
 * @example
 * ```ts
 * import { calibrate } from "@qkv/cost";
 *
 * const machine = calibrate([
 *   { flops: 1e9, bytes: 1e6, calls: 1, workingSetBytes: 1e6, timeMs: 100.01 },
 *   { flops: 1e6, bytes: 4e8, calls: 1, workingSetBytes: 1e6, timeMs: 40.01 },
 *   { flops: 10, bytes: 10, calls: 1, workingSetBytes: 1e6, timeMs: 0.01 },
 * ]);
 * [machine.flopsPerSecond, machine.bytesPerSecond].map((x) => Math.round(x / 1e9)); // => [10, 10]
 * machine.overheadMs.toFixed(3); // => "0.010"
 * ```
 */
export declare function calibrate(samples: readonly Sample[], about?: Calibration): Machine;
