/**
 * The order in which memory-bound kernels read memory. `sequential`: in address order. `prefetched`: in address order, with early
 * loads of the next cache lines. `interleaved`: several streams round-robin. The fastest one depends on the processor. All
 * patterns sum in the same order, so results are the same to the last bit.
 */
export type ReadPattern = "sequential" | "prefetched" | "interleaved";

/** Kernels with several patterns: `decode`, attention of a single query; `gemv`, one row times W [K, N]; `gemvTransposed`, one row times Wᵀ of W [N, K]. */
export type PatternedKernel = "decode" | "gemv" | "gemvTransposed";

export type ReadPatternChoice = {
  readonly pattern: ReadPattern;
  /** Reason for the choice: the option, a measurement, or that no call was large enough to measure. */
  readonly reason: string;
};

export type ReadPatterns = {
  /** Begins a call that reads `bytes` bytes. `end` must be called with false if the kernel left the call to the plain one. */
  begin(kernel: PatternedKernel, bytes: number): { readonly pattern: ReadPattern; end(done: boolean): void };
  report(): Readonly<Record<PatternedKernel, ReadPatternChoice>>;
};

/** The patterns of each kernel. The first one, the fastest on most tested processors, is the default until calls were timed. */
const kernelPatterns: Readonly<Record<PatternedKernel, readonly [ReadPattern, ...ReadPattern[]]>> = {
  decode: ["sequential", "prefetched", "interleaved"],
  gemv: ["interleaved", "sequential"],
  gemvTransposed: ["interleaved", "sequential"],
};
/** Calls that read fewer bytes are not timed: they measure a cache instead of memory. */
const measuredBytes = 2 ** 25;
/** Calls that read fewer bytes use the default: in the cache of a core all patterns are equally fast. */
const chosenBytes = 2 ** 20;
/** Timed calls per pattern, in rotation. The first of each is ignored, because the engine may still compile. */
const rounds = 6;
/** Another pattern replaces the default if it takes less than this fraction of its time. */
const maxTimeRatio = 0.95;

/** The end of calls that are not timed. */
const noTiming = () => undefined;
const untimed = {
  sequential: { pattern: "sequential", end: noTiming },
  prefetched: { pattern: "prefetched", end: noTiming },
  interleaved: { pattern: "interleaved", end: noTiming },
} as const;

type Trial = { calls: number; readonly best: Map<ReadPattern, number>; bytes: number };

/**
 * Chooses a pattern for each kernel by timing its first calls that are larger than the caches: the best of five calls of each
 * pattern, in rotation.
 *
 * @param fixed - The option. `auto` measures; kernels without a given pattern are `sequential`.
 * @param now - A clock in milliseconds.
 */
export function readPatterns(
  fixed: ReadPattern | "auto",
  now: () => number = () => performance.now(),
): ReadPatterns {
  const chosen: Partial<Record<PatternedKernel, ReadPatternChoice>> = {};
  const trials: Partial<Record<PatternedKernel, Trial>> = {};
  const currentChoice = (kernel: PatternedKernel): ReadPatternChoice => {
    const patterns = kernelPatterns[kernel];
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
      const patterns = kernelPatterns[kernel];
      const isDecided = fixed !== "auto" || chosen[kernel];
      if (isDecided || bytes < measuredBytes) {
        const small = fixed === "auto" && bytes < chosenBytes;
        return untimed[small ? patterns[0] : currentChoice(kernel).pattern];
      }
      const trial = (trials[kernel] ??= { calls: 0, best: new Map(), bytes });
      const pattern = patterns[trial.calls % patterns.length]!;
      const start = now();
      return {
        pattern,
        end(done) {
          // Calls of different sizes are compared by their time per byte.
          const timePerByte = (now() - start) / bytes;
          // A call that was left to the plain kernel is not counted.
          if (!done) return;
          trial.calls += 1;
          if (trial.calls > patterns.length) {
            trial.best.set(pattern, Math.min(trial.best.get(pattern) ?? Infinity, timePerByte));
            trial.bytes = Math.min(trial.bytes, bytes);
          }
          if (trial.calls === patterns.length * rounds) chosen[kernel] = decide(patterns[0], trial);
        },
      };
    },
    report: () => ({
      decode: currentChoice("decode"),
      gemv: currentChoice("gemv"),
      gemvTransposed: currentChoice("gemvTransposed"),
    }),
  };
}

function decide(standard: ReadPattern, { best, bytes }: Trial): ReadPatternChoice {
  const sorted = [...best].sort(([, a], [, b]) => a - b);
  const [fastest, shortest] = sorted[0]!;
  const rates = sorted.map(([name, timePerByte]) => `${name} ${(1 / timePerByte / 1e6).toFixed(1)} GB/s`);
  return {
    pattern: shortest < maxTimeRatio * best.get(standard)! ? fastest : standard,
    reason: `measured on calls of ${(bytes / 2 ** 20).toFixed(0)} MiB or more, best of ${rounds - 1} each: ${rates.join(", ")}`,
  };
}
