import type { Sent } from "../sent-error.js";
import type { SentTree } from "./sent-tree.js";

/** Functions of a worker that computes gradients. */
export type GradientFunctions = {
  /** Makes the task ready. `params`: their shapes; numbers come with each step. */
  prepare(setup: unknown, params: SentTree, numbers: Float32Array): Promise<Sent<void>>;
  /** Takes over params. `numbers`: all of them, or undefined where they were written into memory that both ends share. */
  update(numbers: Float32Array | undefined): Promise<Sent<void>>;
  /** Loss of a batch of this number in the run, and its gradients: all numbers, one tensor after the other. */
  gradient(batch: SentTree, number: number | undefined): Promise<Sent<SentGradient>>;
};

export type SentGradient = {
  readonly loss: number;
  readonly gradients: Float32Array;
  /** Terms that the loss is a mean over; 1 if it does not count them. */
  readonly count: number;
};
