import { checks } from "@qkv/core";
import { checkList, checkFields, checkPositive } from "./check-call.js";
import type { Sample } from "./calibrate.js";
import type { Cost } from "./cost.js";

/** Products of `rows` rows with `matrices` matrices `[width, width]`, one after the other. */
export type ProductWork = { readonly rows: number; readonly width: number; readonly matrices: number };

/** A pass of a small model: its {@link cost}, and a function that runs it. */
export type PassWork = { readonly cost: Cost; readonly run: () => void };

/** Options of {@link measure}. */
export type MeasureOptions = {
  /** The clock. Default: `performance.now`. Unit: milliseconds. */
  now?: () => number;
  /** Duration of each measurement. Default 60. */
  budgetMs?: number;
  /** The largest working set to measure. Default 256 MB. Unit: bytes. */
  mostBytes?: number;
  /**
   * Passes of models so small that the time is only overhead: they measure the overhead of an operation within a model.
   * Default: products of 16 by 16 matrices, whose overhead is lower than that of most operations.
   */
  passes?: readonly PassWork[];
};

/**
 * Measures the samples for {@link calibrate} with your own matrix product: working sets from the first-level cache to main
 * memory, many rows at once, and products so small that they take only overhead. Each sample is the shortest of several runs,
 * as other load on the machine only makes runs longer.
 *
 * @param prepare - Creates the matrices of one sample in float32, and returns a function that multiplies with them.
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
  const checked = check.options(options, ["now", "budgetMs", "mostBytes", "passes"]);
  const { now = () => performance.now(), budgetMs = 60, mostBytes = 256e6, passes = [] } = checked;
  const fix = "give a function that makes the matrices, and returns one that multiplies with them.";
  check.type({ prepare }, "function", fix);
  check.type({ now }, "function", "give the clock: () => performance.now().");
  checkPositive(check, { budgetMs }, "milliseconds");
  checkPositive(check, { mostBytes }, "bytes");
  checkList(check, { passes }, "a list of passes");
  passes.forEach((pass, i) => {
    const fields = ["cost", "run"];
    checkFields(
      check,
      { [`passes[${i}]`]: pass },
      fields,
      "a pass",
      "write { cost: cost(shape, call), run }.",
    );
  });
  // A pass has much code, which JavaScript engines take long to optimize: it gets 10 times the budget.
  const passSamples = passes.map(({ cost, run }): Sample => {
    const { flops, bytes, calls, weightBytes, cacheBytes } = cost;
    const workingSetBytes = weightBytes + cacheBytes;
    return { flops, bytes, calls, workingSetBytes, timeMs: shortestMs(run, now, 10 * budgetMs) };
  });
  const smallProducts =
    passes.length > 0 ? [] : [16, 128].map((width) => ({ rows: 1, width, matrices: 1024 / width }));
  const products = [...smallProducts, ...productSizes(mostBytes)].map((work): Sample => {
    const { rows, width, matrices } = work;
    const timeMs = shortestMs(prepare(work), now, budgetMs);
    const weightBytes = 4 * width * width * matrices;
    return {
      flops: 2 * rows * width * width * matrices,
      bytes: weightBytes + 4 * 2 * rows * width * matrices,
      calls: matrices,
      workingSetBytes: weightBytes,
      timeMs,
    };
  });
  return [...passSamples, ...products];
}

/** Sizes of the products: one row with 1 MiB of weights up to `mostBytes`, and many rows. */
function productSizes(mostBytes: number): ProductWork[] {
  const width = 512; // 1 MiB per matrix in float32
  const matrixCounts = Array.from({ length: 20 }, (_, i) => 2 ** i).filter(
    (n) => n * 4 * width * width <= mostBytes,
  );
  return [
    ...matrixCounts.map((matrices) => ({ rows: 1, width, matrices })),
    { rows: 64, width, matrices: 1 },
    { rows: 256, width, matrices: 1 },
  ];
}

/** The shortest time of one run. Browsers make clocks coarse, so enough runs to take {@link minRunMs} are timed at once. */
function shortestMs(run: () => void, now: () => number, budgetMs: number): number {
  let [best, runs] = [Infinity, 1];
  const start = now();
  do {
    const before = now();
    for (let i = 0; i < runs; i++) run();
    const tookMs = now() - before;
    if (tookMs < minRunMs) runs *= 2;
    else best = Math.min(best, tookMs / runs);
  } while (now() - start < budgetMs || best === Infinity);
  return best;
}

const minRunMs = 10;
