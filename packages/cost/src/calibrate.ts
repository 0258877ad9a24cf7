import { checks, type Checks } from "@qkv/core";
import { checkFields, checkPositive } from "./check-call.js";
import { defineMachine, type Machine, type MemoryLevel } from "./machine.js";
import { nonNegativeLeastSquares } from "./least-squares.js";

/** A measurement: the work done, and the time it took. */
export type Sample = {
  readonly flops: number;
  readonly bytes: number;
  /** Operations (kernel launches) that the runtime started. */
  readonly calls: number;
  /**
   * Bytes that are read again in each repetition. Default: `bytes`. Samples with equal working sets share one memory bandwidth.
   */
  readonly workingSetBytes?: number;
  readonly timeMs: number;
};

/** The name of a machine, and figures that are not measured. */
export type Calibration = { name?: string; memoryBytes?: number; source?: string };

/**
 * Fits a roofline model to measurements: a sample takes the longer of its compute time and its memory time, plus an
 * overhead for each of its operations. Errors are relative, so that short samples matter as much as long ones. Each
 * working set size gets its own memory bandwidth (`levels`). A resource that limits no sample gets the highest speed
 * measured, which is a lower bound.
 *
 * @param samples - Three or more: one that is compute-bound, one that is memory-bound, and a small one.
 *   {@link measure} returns such samples.
 * @throws {ArgumentError} If there are fewer than three samples, or a figure is not above 0.
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
export function calibrate(samples: readonly Sample[], about: Calibration = {}): Machine {
  const check = checks("calibrate");
  checkSamples(check, samples);
  const { name, memoryBytes, source } = check.options(about, ["name", "memoryBytes", "source"], "about");
  for (const [argument, text] of Object.entries({ name, source }))
    if (text !== undefined) check.type({ [argument]: text }, "string");
  if (memoryBytes !== undefined) checkPositive(check, { memoryBytes }, "bytes");
  const sizes = [...new Set(samples.map(({ workingSetBytes, bytes }) => workingSetBytes ?? bytes))].sort(
    (a, b) => a - b,
  );
  const levelIndex = samples.map(({ workingSetBytes, bytes }) => sizes.indexOf(workingSetBytes ?? bytes));
  const { memory, flop, overhead } = bestFit(samples, levelIndex, sizes.length);
  const levels: MemoryLevel[] = sizes
    .map((workingSetBytes, i) => ({ workingSetBytes, bytesPerSecond: 1000 / memory[i]! }))
    .filter(({ bytesPerSecond }) => Number.isFinite(bytesPerSecond));
  // A resource that limits no sample is at least this fast.
  const peakMeasured = (key: "bytes" | "flops") =>
    Math.max(...samples.map((sample) => sample[key] / sample.timeMs)) * 1000;
  return defineMachine({
    name: name ?? "this device",
    memoryBytes: memoryBytes ?? 4e9,
    bytesPerSecond: levels.at(-1)?.bytesPerSecond ?? peakMeasured("bytes"),
    ...(levels.length > 1 && { levels }),
    flopsPerSecond: flop > 0 ? 1000 / flop : peakMeasured("flops"),
    overheadMs: overhead,
    source: source ?? `fitted to ${samples.length} measurements`,
  });
}

/** Milliseconds per byte at each memory level, per FLOP, and per call; `error`: the sum of squared relative errors. */
type Fit = { memory: number[]; flop: number; overhead: number; error: number };

/**
 * Finds the best fit. Whether a sample is compute-bound depends on the unknown speeds. Samples are ordered by arithmetic
 * intensity, so the compute-bound ones come last: each split is a starting point, and is updated until it agrees with its fit.
 */
function bestFit(samples: readonly Sample[], levelIndex: readonly number[], levels: number): Fit {
  const order = samples
    .map((_, i) => i)
    .sort((a, b) => samples[a]!.flops / samples[a]!.bytes - samples[b]!.flops / samples[b]!.bytes);
  let best: Fit | undefined;
  for (let split = 0; split <= order.length; split++) {
    let isComputeBound = samples.map((_, i) => order.indexOf(i) >= split);
    for (let round = 0; round < 8; round++) {
      const fit = fitFor(samples, levelIndex, levels, isComputeBound);
      if (!best || fit.error < best.error) best = fit;
      const next = samples.map(
        ({ flops, bytes }, i) => flops * fit.flop > bytes * fit.memory[levelIndex[i]!]!,
      );
      if (next.every((value, i) => value === isComputeBound[i])) break;
      isComputeBound = next;
    }
  }
  return best!;
}

/** The least-squares fit if it is known which samples are compute-bound. */
function fitFor(
  samples: readonly Sample[],
  levelIndex: readonly number[],
  levels: number,
  isComputeBound: readonly boolean[],
): Fit {
  // Each row is divided by its time, so the target is 1. A larger working set is never faster, so a byte takes at least
  // as long as at the level below: this separates slow memory from the overhead of an operation.
  const rows = samples.map(({ flops, bytes, calls, timeMs }, i) => [
    ...Array.from({ length: levels }, (_, level) =>
      !isComputeBound[i] && level <= levelIndex[i]! ? bytes / timeMs : 0,
    ),
    isComputeBound[i] ? flops / timeMs : 0,
    calls / timeMs,
  ]);
  const x = nonNegativeLeastSquares(rows);
  const [increments, flop, overhead] = [x.slice(0, levels), x[levels]!, x[levels + 1]!];
  const memory = increments.map((_, level) =>
    increments.slice(0, level + 1).reduce((sum, step) => sum + step, 0),
  );
  const error = samples.reduce((sum, { flops, bytes, calls, timeMs }, i) => {
    const predicted = Math.max(flops * flop, bytes * memory[levelIndex[i]!]!) + calls * overhead;
    return sum + (predicted / timeMs - 1) ** 2;
  }, 0);
  return { memory, flop, overhead, error };
}

function checkSamples(check: Checks, samples: readonly Sample[]): void {
  const isEnough = (list: unknown) => Array.isArray(list) && list.length >= 3;
  const fix = "measure one that is compute-bound, one that is memory-bound, and a small one.";
  if (Array.isArray(samples) && !isEnough(samples))
    check.refuse({
      argument: "samples",
      received: `${samples.length} of them`,
      expected: "three or more",
      fix,
    });
  check.each({ samples }, isEnough, "three samples or more", fix);
  const measureAgain = "measure again, for longer.";
  const isPositive = (x: unknown) => Number.isFinite(x) && (x as number) > 0;
  samples.forEach((sample, i) => {
    checkFields(check, { [`samples[${i}]`]: sample }, [], "a sample", "make it with `measure`.");
    const { flops, bytes, calls, timeMs, workingSetBytes } = sample;
    const figures = Object.entries({
      flops,
      bytes,
      calls,
      timeMs,
      ...(workingSetBytes !== undefined && { workingSetBytes }),
    });
    for (const [key, value] of figures)
      check.each({ [`samples[${i}].${key}`]: value }, isPositive, "a number above 0", measureAgain);
  });
}
