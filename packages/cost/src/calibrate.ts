import { checks, type Checks } from "@qkv/core";
import { checkMade, checkPositive } from "./check-call.js";
import { defineMachine, type Machine, type MemoryLevel } from "./machine.js";
import { nonNegativeLeastSquares } from "./least-squares.js";

/** Something that ran: what it took, and how long. */
export type Sample = {
  readonly flops: number;
  readonly bytes: number;
  /** Operations that the runtime started. */
  readonly calls: number;
  /** Bytes that it reads each time it runs again. Default: `bytes`. Samples of one working set share a speed of memory. */
  readonly workingSetBytes?: number;
  readonly timeMs: number;
};

/** The name of a machine, and figures that no sample measures. */
export type Calibration = { name?: string; memoryBytes?: number; source?: string };

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
  const levelOf = samples.map(({ workingSetBytes, bytes }) => sizes.indexOf(workingSetBytes ?? bytes));
  const { memory, flop, overhead } = bestFit(samples, levelOf, sizes.length);
  const levels: MemoryLevel[] = sizes
    .map((workingSetBytes, i) => ({ workingSetBytes, bytesPerSecond: 1000 / memory[i]! }))
    .filter(({ bytesPerSecond }) => Number.isFinite(bytesPerSecond));
  // A resource that bounds no sample is at least as fast as measured.
  const seen = (key: "bytes" | "flops") =>
    Math.max(...samples.map((sample) => sample[key] / sample.timeMs)) * 1000;
  return defineMachine({
    name: name ?? "this device",
    memoryBytes: memoryBytes ?? 4e9,
    bytesPerSecond: levels.at(-1)?.bytesPerSecond ?? seen("bytes"),
    ...(levels.length > 1 && { levels }),
    flopsPerSecond: flop > 0 ? 1000 / flop : seen("flops"),
    overheadMs: overhead,
    source: source ?? `fitted to ${samples.length} measurements`,
  });
}

/** Milliseconds for a byte at each level, for a FLOP, for a call. */
type Fit = { memory: number[]; flop: number; overhead: number; error: number };

/**
 * A sample is compute-bound or memory-bound depending on the unknown speeds. Ordered by intensity, those
 * that wait for arithmetic come last: each cut is tried as a start, and moved until it fits its own result.
 */
function bestFit(samples: readonly Sample[], levelOf: readonly number[], levels: number): Fit {
  const order = samples
    .map((_, i) => i)
    .sort((a, b) => samples[a]!.flops / samples[a]!.bytes - samples[b]!.flops / samples[b]!.bytes);
  let best: Fit | undefined;
  for (let cut = 0; cut <= order.length; cut++) {
    let computes = samples.map((_, i) => order.indexOf(i) >= cut);
    for (let round = 0; round < 8; round++) {
      const fit = fitFor(samples, levelOf, levels, computes);
      if (!best || fit.error < best.error) best = fit;
      const next = samples.map(({ flops, bytes }, i) => flops * fit.flop > bytes * fit.memory[levelOf[i]!]!);
      if (next.every((value, i) => value === computes[i])) break;
      computes = next;
    }
  }
  return best!;
}

function fitFor(
  samples: readonly Sample[],
  levelOf: readonly number[],
  levels: number,
  computes: readonly boolean[],
): Fit {
  // Divided by the time, each row shall give 1. More memory is never faster, so a byte costs what it costs at the level
  // below, and something on top: that tells a slow memory from what it takes to start an operation.
  const rows = samples.map(({ flops, bytes, calls, timeMs }, i) => [
    ...Array.from({ length: levels }, (_, level) =>
      !computes[i] && level <= levelOf[i]! ? bytes / timeMs : 0,
    ),
    computes[i] ? flops / timeMs : 0,
    calls / timeMs,
  ]);
  const x = nonNegativeLeastSquares(rows);
  const [steps, flop, overhead] = [x.slice(0, levels), x[levels]!, x[levels + 1]!];
  const memory = steps.map((_, level) => steps.slice(0, level + 1).reduce((sum, step) => sum + step, 0));
  const error = samples.reduce((sum, { flops, bytes, calls, timeMs }, i) => {
    const predicted = Math.max(flops * flop, bytes * memory[levelOf[i]!]!) + calls * overhead;
    return sum + (predicted / timeMs - 1) ** 2;
  }, 0);
  return { memory, flop, overhead, error };
}

function checkSamples(check: Checks, samples: readonly Sample[]): void {
  const many = (list: unknown) => Array.isArray(list) && list.length >= 3;
  const three = "measure one that computes much, one that reads much, and a small one.";
  if (Array.isArray(samples) && !many(samples))
    check.refuse({
      argument: "samples",
      received: `${samples.length} of them`,
      expected: "three or more",
      fix: three,
    });
  check.each({ samples }, many, "three samples or more", three);
  const again = "measure again, for longer.";
  const above = (x: unknown) => Number.isFinite(x) && (x as number) > 0;
  samples.forEach((sample, i) => {
    checkMade(check, { [`samples[${i}]`]: sample }, [], "a sample", "make it with `measure`.");
    const { flops, bytes, calls, timeMs, workingSetBytes } = sample;
    const all = Object.entries({
      flops,
      bytes,
      calls,
      timeMs,
      ...(workingSetBytes !== undefined && { workingSetBytes }),
    });
    for (const [key, value] of all)
      check.each({ [`samples[${i}].${key}`]: value }, above, "a number above 0", again);
  });
}
