import { checks, type Checks } from "@qkv/core";
import { checkFields, checkPositive } from "./check-call.js";

/** The interconnect of machines of one kind. */
export type Link = {
  /** Bandwidth of one machine in one direction. */
  readonly bytesPerSecond: number;
  /** Time until the first byte arrives. */
  readonly latencyMs: number;
  /** Number of machines that it connects at this speed. */
  readonly machines: number;
};

/** Memory bandwidth for a pass with this working set. */
export type MemoryLevel = { readonly workingSetBytes: number; readonly bytesPerSecond: number };

/** A machine: memory bandwidth, FLOP rate, and launch overhead of an operation. */
export type Machine = {
  readonly name: string;
  readonly memoryBytes: number;
  /** Bandwidth between memory and processor. */
  readonly bytesPerSecond: number;
  /**
   * Bandwidth by working set, from small working sets, which fit in a cache, to large ones. Interpolated between two levels;
   * beyond the last level it is that of the last. Default: `bytesPerSecond` for all.
   */
  readonly levels?: readonly MemoryLevel[];
  /** Peak of dense matrix products in the 16-bit type of its matrix units, or in float32 if it has none. */
  readonly flopsPerSecond: number;
  /** Overhead of each operation (kernel launch). */
  readonly overheadMs: number;
  readonly link?: Link;
  /** Source of the figures. */
  readonly source: string;
};

/**
 * Checks the figures of a machine of your own.
 *
 * @throws {ArgumentError} If a figure is not above 0, or the overhead is negative.
 *
 * @example
 * ```ts
 * import { defineMachine } from "@qkv/cost";
 *
 * const desk = defineMachine({
 *   name: "desk", memoryBytes: 64e9, bytesPerSecond: 80e9, flopsPerSecond: 2e12, overheadMs: 0.001, source: "measured",
 * });
 * desk.flopsPerSecond / desk.bytesPerSecond; // => 25
 * ```
 */
export function defineMachine(machine: Machine): Machine {
  const check = checks("defineMachine");
  const names = ["name", "memoryBytes", "bytesPerSecond", "flopsPerSecond", "overheadMs", "source"] as const;
  check.options(machine, [...names, "levels", "link"], "machine");
  checkMachine(check, machine);
  return machine;
}

/** Refuses a value that is not a machine. */
export function checkMachine(check: Checks, machine: Machine): void {
  const fix = "take one of `machines`, or make one with `defineMachine`.";
  checkFields(check, { machine }, ["name"], "a machine", fix);
  const { memoryBytes, bytesPerSecond, flopsPerSecond, overheadMs } = machine;
  checkPositive(check, { memoryBytes }, "bytes");
  checkPositive(check, { bytesPerSecond }, "bytes per second");
  checkPositive(check, { flopsPerSecond }, "operations per second");
  const isOverhead = (ms: unknown) => Number.isFinite(ms) && (ms as number) >= 0;
  const expected = "a number of milliseconds, 0 or more";
  check.each(
    { overheadMs },
    isOverhead,
    expected,
    "give what starting one operation takes; 0 if that does not matter.",
  );
}

/** Memory bandwidth for a working set, by log-log interpolation between the levels. */
export function bytesPerSecondAt(
  { bytesPerSecond, levels = [] }: Pick<Machine, "bytesPerSecond" | "levels">,
  workingSetBytes: number,
): number {
  const upperIndex = levels.findIndex((level) => level.workingSetBytes >= workingSetBytes);
  const [low, high] = [levels[upperIndex - 1], levels[upperIndex]];
  if (!high) return levels.at(-1)?.bytesPerSecond ?? bytesPerSecond;
  if (!low) return high.bytesPerSecond;
  const fraction =
    Math.log(workingSetBytes / low.workingSetBytes) / Math.log(high.workingSetBytes / low.workingSetBytes);
  return low.bytesPerSecond * (high.bytesPerSecond / low.bytesPerSecond) ** fraction;
}
