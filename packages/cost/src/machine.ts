import { checks, type Checks } from "@qkv/core";
import { checkMade, checkPositive } from "./check-call.js";

/** The interconnect of machines of one kind. */
export type Link = {
  /** Of one machine in one direction. */
  readonly bytesPerSecond: number;
  /** Before the first byte arrives. */
  readonly latencyMs: number;
  /** Number of machines it connects at this speed. */
  readonly machines: number;
};

/** Memory bandwidth for a pass with this working set. */
export type MemoryLevel = { readonly workingSetBytes: number; readonly bytesPerSecond: number };

/** A machine: memory bandwidth, FLOP rate, and launch overhead of an operation. */
export type Machine = {
  readonly name: string;
  readonly memoryBytes: number;
  /** Between memory and processor. */
  readonly bytesPerSecond: number;
  /**
   * Bandwidth of caches: by the bytes that a pass reads again and again, from few bytes to
   * many. Between two of them the speed is interpolated, beyond the last it is the last one's.
   */
  readonly levels?: readonly MemoryLevel[];
  /** Dense products in the 16-bit type of its matrix units, or in float32 where it has none. */
  readonly flopsPerSecond: number;
  /** For each operation that a runtime starts. */
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

/** Refuses what is no machine. */
export function checkMachine(check: Checks, machine: Machine): void {
  const fix = "take one of `machines`, or make one with `defineMachine`.";
  checkMade(check, { machine }, ["name"], "a machine", fix);
  const { memoryBytes, bytesPerSecond, flopsPerSecond, overheadMs } = machine;
  checkPositive(check, { memoryBytes }, "bytes");
  checkPositive(check, { bytesPerSecond }, "bytes per second");
  checkPositive(check, { flopsPerSecond }, "operations per second");
  const holds = (ms: unknown) => Number.isFinite(ms) && (ms as number) >= 0;
  const expected = "a number of milliseconds, 0 or more";
  check.each(
    { overheadMs },
    holds,
    expected,
    "give what starting one operation takes; 0 if that does not matter.",
  );
}

/** The speed of memory for a pass that reads so many bytes: on straight lines between the levels, in logarithms. */
export function bytesPerSecondAt(
  { bytesPerSecond, levels = [] }: Pick<Machine, "bytesPerSecond" | "levels">,
  workingSetBytes: number,
): number {
  const above = levels.findIndex((level) => level.workingSetBytes >= workingSetBytes);
  const [low, high] = [levels[above - 1], levels[above]];
  if (!high) return levels.at(-1)?.bytesPerSecond ?? bytesPerSecond;
  if (!low) return high.bytesPerSecond;
  const share =
    Math.log(workingSetBytes / low.workingSetBytes) / Math.log(high.workingSetBytes / low.workingSetBytes);
  return low.bytesPerSecond * (high.bytesPerSecond / low.bytesPerSecond) ** share;
}
