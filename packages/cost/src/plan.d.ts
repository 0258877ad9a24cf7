import { type Formats } from "./cost.js";
import { type Layout } from "./estimate.js";
import type { Machine } from "./machine.js";
/** What a service shall do. */
export type PlanRequest = {
  /** Users who are being answered at the same time. */
  users: number;
  /** Tokens held for each of them. */
  contextLength: number;
  /** What each of them gets, at the least. */
  tokensPerSecond: number;
  machine: Machine;
  formats?: Partial<Formats>;
  /** The part of the machine's figures that is reached. Default 0.6. */
  efficiency?: number;
  /** The part of the memory that weights and caches may fill. Default 0.9. */
  memoryShare?: number;
};
/** What it takes. */
export type Plan = {
  /** Machines in all: replicas times those of one replica. */
  readonly machines: number;
  /** Copies of the model. */
  readonly replicas: number;
  readonly layout: Layout;
  /** Users of one copy at a time. */
  readonly batchSize: number;
  /** One step of decoding, for all users of a copy. */
  readonly stepMs: number;
  /** What each user gets. */
  readonly tokensPerSecond: number;
  /** What all users get together. */
  readonly totalTokensPerSecond: number;
  /** On each machine of a copy. */
  readonly bytesPerMachine: number;
  /** Everything that was assumed, as sentences. */
  readonly assumptions: readonly string[];
};
/**
 * How many machines a service takes, and how the model lies on them: the layout with the fewest machines that holds the
 * caches of all users and gives each of them their tokens. One tab or many racks.
 *
 * @param config - A configuration as {@link readConfig} takes it, or the shape that it gives.
 * @throws {ArgumentError} If a figure is not above 0, or no layout of these machines is fast enough for a single user.
 *
 * @example
 * ```ts
 * import { machines, plan } from "@qkv/cost";
 *
 * const llama70b = {
 *   model_type: "llama", hidden_size: 8192, num_hidden_layers: 80, num_attention_heads: 64, num_key_value_heads: 8,
 *   intermediate_size: 28672, vocab_size: 128256,
 * };
 * const { machines: count, layout } = plan(llama70b, { users: 1000, contextLength: 8192, tokensPerSecond: 20, machine: machines.h100 });
 * count % (layout.tensor * layout.pipeline); // => 0
 * plan(llama70b, { users: 1, contextLength: 8192, tokensPerSecond: 9999, machine: machines.h100 }); // => throws ArgumentError: tokensPerSecond
 * ```
 */
export declare function plan(config: unknown, request: PlanRequest): Plan;
