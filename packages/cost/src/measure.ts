import { checks } from "@qkv/core";
import { checkList, checkMade, checkPositive } from "./check-call.js";
import type { Sample } from "./calibrate.js";
import type { Cost } from "./cost.js";

/** A product of `rows` rows with `matrices` matrices of `width` by `width`, one after the other. */
export type ProductWork = { readonly rows: number; readonly width: number; readonly matrices: number };

/** A pass of a small model: what it takes, by {@link cost}, and what runs it. */
export type PassWork = { readonly cost: Cost; readonly run: () => void };

/** Options of {@link measure}. */
export type MeasureOptions = {
  /** The clock. Default: `performance.now`. Unit: milliseconds. */
  now?: () => number;
  /** Duration of each sample. Default 60. */
  budgetMs?: number;
  /** The largest working set that is measured. Default 256 MB. */
  mostBytes?: number;
  /**
   * Passes of models so small that starting their operations is all there is to see: what an operation of a model takes,
   * with all that lies around it. Default: products of 16 by 16, which take less than most operations.
   */
  passes?: readonly PassWork[];
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
export function measure(prepare: (work: ProductWork) => () => void, options: MeasureOptions = {}): Sample[] {
  const check = checks("measure");
  const given = check.options(options, ["now", "budgetMs", "mostBytes", "passes"]);
  const { now = () => performance.now(), budgetMs = 60, mostBytes = 256e6, passes = [] } = given;
  const fix = "give a function that makes the matrices, and returns one that multiplies with them.";
  check.type({ prepare }, "function", fix);
  check.type({ now }, "function", "give the clock: () => performance.now().");
  checkPositive(check, { budgetMs }, "milliseconds");
  checkPositive(check, { mostBytes }, "bytes");
  checkList(check, { passes }, "a list of passes");
  passes.forEach((pass, i) => {
    const fields = ["cost", "run"];
    checkMade(check, { [`passes[${i}]`]: pass }, fields, "a pass", "write { cost: cost(shape, call), run }.");
  });
  // Much runs in a pass: engines take their time to compile all of it.
  const small = passes.map(({ cost, run }): Sample => {
    const { flops, bytes, calls, weightBytes, cacheBytes } = cost;
    const workingSetBytes = weightBytes + cacheBytes;
    return { flops, bytes, calls, workingSetBytes, timeMs: shortest(run, now, 10 * budgetMs) };
  });
  const tiny =
    passes.length > 0 ? [] : [16, 128].map((width) => ({ rows: 1, width, matrices: 1024 / width }));
  const products = [...tiny, ...works(mostBytes)].map((work): Sample => {
    const { rows, width, matrices } = work;
    const timeMs = shortest(prepare(work), now, budgetMs);
    const weightBytes = 4 * width * width * matrices;
    return {
      flops: 2 * rows * width * width * matrices,
      bytes: weightBytes + 4 * 2 * rows * width * matrices,
      calls: matrices,
      workingSetBytes: weightBytes,
      timeMs,
    };
  });
  return [...small, ...products];
}

/** Single rows over ever more memory, and many rows. */
function works(mostBytes: number): ProductWork[] {
  const width = 512; // 1 MiB a matrix
  const sets = Array.from({ length: 20 }, (_, i) => 2 ** i).filter((n) => n * 4 * width * width <= mostBytes);
  return [
    ...sets.map((matrices) => ({ rows: 1, width, matrices })),
    { rows: 64, width, matrices: 1 },
    { rows: 256, width, matrices: 1 },
  ];
}

/** The shortest time of one run. Clocks are coarse, in browsers on purpose: as many runs as fill ten milliseconds count as one. */
function shortest(run: () => void, now: () => number, budgetMs: number): number {
  let [best, runs] = [Infinity, 1];
  const start = now();
  do {
    const before = now();
    for (let i = 0; i < runs; i++) run();
    const tookMs = now() - before;
    if (tookMs < coarseMs) runs *= 2;
    else best = Math.min(best, tookMs / runs);
  } while (now() - start < budgetMs || best === Infinity);
  return best;
}

const coarseMs = 10;
