/**
 * The order in which a kernel that is bound by memory reads it. `sequential`: in address order. `interleaved`: several places
 * in rotation. Which one is faster depends on the processor. Both add in the same order, so results are the same to the last
 * bit.
 */
export type ReadPattern = "sequential" | "interleaved";

/** Kernels that know both patterns: attention of a single query, and one row times W [K, N] and Wᵀ of W [N, K]. */
export type PatternedKernel = "decode" | "gemv" | "gemvTransposed";

export type ReadPatternChoice = {
  readonly pattern: ReadPattern;
  /** The option, the measurement, or that no call was large enough to measure. */
  readonly reason: string;
};

export type ReadPatterns = {
  /** Begins one call that reads so many bytes: `end` is told whether the kernel ran, or left it to the plain one. */
  begin(kernel: PatternedKernel, bytes: number): { readonly pattern: ReadPattern; end(done: boolean): void };
  report(): Readonly<Record<PatternedKernel, ReadPatternChoice>>;
};

/** The pattern before anything was measured: the fastest on most processors tried. */
const defaults: Readonly<Record<PatternedKernel, ReadPattern>> = {
  decode: "sequential",
  gemv: "interleaved",
  gemvTransposed: "interleaved",
};
/** Calls that read fewer bytes say nothing about memory: a cache answers. */
const measuredBytes = 2 ** 25;
/** Calls that read fewer bytes stay in a core's own cache, where the default is as fast. */
const chosenBytes = 2 ** 20;
/** Calls of each pattern, alternating; the first pair warms up the engine's compiler. */
const rounds = 6;
/** The default stays unless the other pattern takes less than this fraction of its time. */
const clearly = 0.95;

const untimed = {
  sequential: { pattern: "sequential", end: () => undefined },
  interleaved: { pattern: "interleaved", end: () => undefined },
} as const;

type Trial = { calls: number; readonly best: Record<ReadPattern, number>; bytes: number };

/**
 * Chooses a pattern for each kernel by timing its first calls that are larger than a cache: the best of five calls of each
 * pattern, alternating.
 *
 * @param fixed - The option: `auto` measures.
 * @param now - A clock in milliseconds.
 */
export function readPatterns(
  fixed: ReadPattern | "auto",
  now: () => number = () => performance.now(),
): ReadPatterns {
  const chosen: Partial<Record<PatternedKernel, ReadPatternChoice>> = {};
  const trials: Partial<Record<PatternedKernel, Trial>> = {};
  const choiceOf = (kernel: PatternedKernel): ReadPatternChoice =>
    fixed === "auto"
      ? (chosen[kernel] ?? {
          pattern: defaults[kernel],
          reason: `the default: fewer than ${2 * rounds} calls have read ${measuredBytes / 2 ** 20} MiB or more`,
        })
      : { pattern: fixed, reason: "the option `readPattern`" };

  return {
    begin(kernel, bytes) {
      if (fixed !== "auto") return untimed[fixed];
      const choice = chosen[kernel];
      if (bytes < chosenBytes || (!choice && bytes < measuredBytes)) return untimed[defaults[kernel]];
      if (choice) return untimed[choice.pattern];
      const trial = (trials[kernel] ??= {
        calls: 0,
        best: { sequential: Infinity, interleaved: Infinity },
        bytes,
      });
      const pattern = trial.calls % 2 === 0 ? "sequential" : "interleaved";
      const start = now();
      return {
        pattern,
        end(done) {
          const milliseconds = now() - start;
          // A call that the kernel left to the plain device says nothing.
          if (!done) return;
          trial.calls += 1;
          if (trial.calls > 2) {
            // Calls of different sizes compare by what a byte takes.
            trial.best[pattern] = Math.min(trial.best[pattern], milliseconds / bytes);
            trial.bytes = Math.min(trial.bytes, bytes);
          }
          if (trial.calls === 2 * rounds) chosen[kernel] = decide(kernel, trial);
        },
      };
    },
    report: () => ({
      decode: choiceOf("decode"),
      gemv: choiceOf("gemv"),
      gemvTransposed: choiceOf("gemvTransposed"),
    }),
  };
}

function decide(kernel: PatternedKernel, { best, bytes }: Trial): ReadPatternChoice {
  const first = defaults[kernel];
  const other = first === "sequential" ? "interleaved" : "sequential";
  const pattern = best[other] < clearly * best[first] ? other : first;
  const rate = (each: ReadPattern) => `${each} ${(1 / best[each] / 1e6).toFixed(1)} GB/s`;
  return {
    pattern,
    reason: `measured on calls of ${(bytes / 2 ** 20).toFixed(0)} MiB or more, best of ${rounds - 1} each: ${rate("sequential")}, ${rate("interleaved")}`,
  };
}
