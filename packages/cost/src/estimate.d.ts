import type { Cost } from "./cost.js";
import { type Machine } from "./machine.js";
import type { ModelShape } from "./model-shape.js";
/** What an operation waits for. */
export type Bound = "compute" | "memory" | "overhead" | "link";
/** How a model lies on machines of one kind. */
export type Layout = {
  /** Machines among which each matrix is divided. */
  readonly tensor: number;
  /** Groups of machines, of which each has some of the layers. */
  readonly pipeline: number;
};
/** How long one part takes, in all layers that have it together. */
export type OperatorTime = {
  readonly name: string;
  readonly timeMs: number;
  readonly boundBy: Bound;
  readonly intensity: number;
};
/** How long a pass takes at the least, and what it waits for. */
export type Estimate = {
  /** One pass, from its start to its end. */
  readonly timeMs: number;
  /** What most of the time goes to. */
  readonly boundBy: Bound;
  /** Where the time goes; adds up to {@link timeMs}. */
  readonly timeMsBy: {
    readonly [bound in Bound]: number;
  };
  readonly operators: readonly OperatorTime[];
  /** Tokens that leave in a second: of all sequences, and of all groups of a pipeline at work together. */
  readonly tokensPerSecond: number;
};
/**
 * The roofline: an operation takes as long as its bytes or its arithmetic, whichever takes longer, and what it takes to
 * start it. A bound from below: machines reach about two thirds of the figures of their makers.
 *
 * Matrices divided among machines (`tensor`) meet in two sums a layer, which the link carries; the groups of a
 * `pipeline` hand tokens on, and do not make one token faster.
 *
 * @param shape - The model of `cost`; needed for the sums of a layout.
 * @throws {ArgumentError} If the layout has more machines than the link connects, or there is no link.
 *
 * @example
 * ```ts
 * import { cost, estimate, machines, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({
 *   model_type: "llama", hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8,
 *   intermediate_size: 14336, vocab_size: 128256,
 * });
 * const step = estimate(cost(shape, { contextLength: 4096 }), machines.h100);
 * [step.boundBy, step.timeMs > 4, step.timeMs < 6.5]; // => ["memory", true, true]
 * estimate(cost(shape, { queryLength: 4096 }), machines.h100).boundBy; // => "compute"
 * ```
 */
export declare function estimate(
  cost: Cost,
  machine: Machine,
  options?: {
    layout?: Layout;
    shape?: ModelShape;
  },
): Estimate;
