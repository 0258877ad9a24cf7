/**
 * The order in which a kernel that is bound by memory reads it. `sequential`: in address order. `prefetched`: the same, and
 * lines of what comes next are loaded early. `interleaved`: several places in rotation. Which one is the fastest depends on
 * the processor. All add in the same order, so results are the same to the last bit.
 */
export type ReadPattern = "sequential" | "prefetched" | "interleaved";

/** Kernels that know several patterns: attention of a single query, and one row times W [K, N] and Wᵀ of W [N, K]. */
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

/** The patterns of each kernel. The first is used before anything was measured: the fastest on most processors tried. */
const patternsOf: Readonly<Record<PatternedKernel, readonly [ReadPattern, ...ReadPattern[]]>> = {
  decode: ["sequential", "prefetched", "interleaved"],
  gemv: ["interleaved", "sequential"],
  gemvTransposed: ["interleaved", "sequential"],
};
/** Calls that read fewer bytes say nothing about memory: a cache answers. */
const measuredBytes = 2 ** 25;
/** Calls that read fewer bytes stay in a core's own cache, where the default is as fast. */
const chosenBytes = 2 ** 20;
/** Calls of each pattern, one after the other; the first of each warms up the engine's compiler. */
const rounds = 6;
/** The default stays unless another pattern takes less than this fraction of its time. */
const clearly = 0.95;

/** Calls that are not timed. */
const ignore = () => undefined;
const untimed = {
  sequential: { pattern: "sequential", end: ignore },
  prefetched: { pattern: "prefetched", end: ignore },
  interleaved: { pattern: "interleaved", end: ignore },
} as const;

type Trial = { calls: number; readonly best: Map<ReadPattern, number>; bytes: number };

/**
 * Chooses a pattern for each kernel by timing its first calls that are larger than a cache: the best of five calls of each
 * pattern, in rotation.
 *
 * @param fixed - The option: `auto` measures. A kernel without the pattern that is asked for reads in address order.
 * @param now - A clock in milliseconds.
 */
export function readPatterns(
  fixed: ReadPattern | "auto",
  now: () => number = () => performance.now(),
): ReadPatterns {
  const chosen: Partial<Record<PatternedKernel, ReadPatternChoice>> = {};
  const trials: Partial<Record<PatternedKernel, Trial>> = {};
  const choiceOf = (kernel: PatternedKernel): ReadPatternChoice => {
    const patterns = patternsOf[kernel];
    if (fixed !== "auto")
      return {
        pattern: patterns.includes(fixed) ? fixed : "sequential",
        reason: "the option `readPattern`",
      };
    return (
      chosen[kernel] ?? {
        pattern: patterns[0],
        reason: `the default: fewer than ${patterns.length * rounds} calls have read ${measuredBytes / 2 ** 20} MiB or more`,
      }
    );
  };

  return {
    begin(kernel, bytes) {
      const patterns = patternsOf[kernel];
      const settled = fixed !== "auto" || chosen[kernel];
      if (settled || bytes < measuredBytes) {
        const small = fixed === "auto" && bytes < chosenBytes;
        return untimed[small ? patterns[0] : choiceOf(kernel).pattern];
      }
      const trial = (trials[kernel] ??= { calls: 0, best: new Map(), bytes });
      const pattern = patterns[trial.calls % patterns.length]!;
      const start = now();
      return {
        pattern,
        end(done) {
          // Calls of different sizes compare by what a byte takes.
          const taken = (now() - start) / bytes;
          // A call that the kernel left to the plain device says nothing.
          if (!done) return;
          trial.calls += 1;
          if (trial.calls > patterns.length) {
            trial.best.set(pattern, Math.min(trial.best.get(pattern) ?? Infinity, taken));
            trial.bytes = Math.min(trial.bytes, bytes);
          }
          if (trial.calls === patterns.length * rounds) chosen[kernel] = decide(patterns[0], trial);
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

function decide(standard: ReadPattern, { best, bytes }: Trial): ReadPatternChoice {
  const measured = [...best].sort(([, a], [, b]) => a - b);
  const [fastest, least] = measured[0]!;
  const rates = measured.map(([each, taken]) => `${each} ${(1 / taken / 1e6).toFixed(1)} GB/s`);
  return {
    pattern: least < clearly * best.get(standard)! ? fastest : standard,
    reason: `measured on calls of ${(bytes / 2 ** 20).toFixed(0)} MiB or more, best of ${rounds - 1} each: ${rates.join(", ")}`,
  };
}
