import type { SentResult } from "../sent-error.js";
import type { SentTree } from "./sent-tree.js";

/** Functions of a worker that computes gradients. */
export type GradientFunctions = {
  /** Creates the task and its params. `params`: shapes and types. `values`: all params, one tensor after the other. */
  prepare(setup: unknown, params: SentTree, values: Float32Array): Promise<SentResult<void>>;
  /** Updates the params. `values`: all of them, or undefined if they were written to memory that both threads share. */
  update(values: Float32Array | undefined): Promise<SentResult<void>>;
  /** Loss of batch `number` of the run, and the gradients of all params, one tensor after the other. */
  gradient(batch: SentTree, number: number | undefined): Promise<SentResult<SentGradient>>;
};

export type SentGradient = {
  readonly loss: number;
  readonly gradients: Float32Array;
  /** Terms that the loss is a mean over; 1 if it does not count them. */
  readonly count: number;
};
