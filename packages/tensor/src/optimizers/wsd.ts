import { checkOptions } from "@qkv/core";
import { annealed, type AnnealShape } from "./anneal.js";
import { checkRate, checkSteps, constant, type Schedule } from "./schedules.js";
import { sequential } from "./sequential.js";

/** Options of {@link wsd}. */
export type WsdOptions = {
  peak: number;
  /** Steps from `start` up to the peak. */
  warmupSteps: number;
  /** Steps at the peak. */
  stableSteps: number;
  /** Steps from the peak down to `floor`; afterwards the rate is constant. */
  decaySteps: number;
  /** Default 0. */
  floor?: number;
  /** The rate of the first step. Default: the floor. */
  start?: number;
  /** Default `"linear"`. */
  warmup?: AnnealShape;
  /** Default `"sqrt"`. */
  decay?: AnnealShape;
};

/**
 * Warm-up, stable phase, decay (WSD). The length of a training run need not be known in advance, because the decay can start from any
 * state of the stable phase.
 *
 * @throws {ArgumentError} If an option is out of range.
 * @see "MiniCPM: Unveiling the Potential of Small Language Models with Scalable Training Strategies" (2024),
 *   arXiv:2404.06395
 *
 * @example
 * ```ts
 * import { wsd } from "@qkv/tensor/optimizers";
 *
 * const rate = wsd({ peak: 1, warmupSteps: 2, stableSteps: 2, decaySteps: 4, decay: "linear" });
 * [0, 1, 2, 3, 4, 5, 6, 8, 9].map(rate); // => [0, 0.5, 1, 1, 1, 0.75, 0.5, 0, 0]
 * ```
 */
export function wsd(options: WsdOptions): Schedule {
  const names = [
    "peak",
    "warmupSteps",
    "stableSteps",
    "decaySteps",
    "floor",
    "start",
    "warmup",
    "decay",
  ] as const;
  const checked = checkOptions("wsd", options, names);
  const { peak, warmupSteps, stableSteps, decaySteps, floor = 0, start = floor } = checked;
  const { warmup = "linear", decay = "sqrt" } = checked;
  for (const [name, rate] of Object.entries({ peak, floor, start })) checkRate("wsd", name, rate);
  checkSteps("wsd", "warmupSteps", warmupSteps, 0);
  checkSteps("wsd", "stableSteps", stableSteps, 0);
  checkSteps("wsd", "decaySteps", decaySteps, 1);
  const up = annealed("wsd", { start, peak }, { warmup });
  const down = annealed("wsd", { peak, floor }, { decay });
  return sequential(
    [
      [(step) => up(step / warmupSteps), warmupSteps],
      [constant(peak), stableSteps],
    ],
    (step) => down(step / decaySteps),
  );
}
