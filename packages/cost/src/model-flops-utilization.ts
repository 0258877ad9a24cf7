import { checks } from "@qkv/core";
import { checkPositive, checkShape } from "./check-call.js";
import { cost } from "./cost.js";
import { formats } from "./formats.js";
import type { Machine } from "./machine.js";
import type { ModelShape } from "./model-shape.js";

/** Speed of training, as it was measured. */
export type TrainingSpeed = {
  /** Tokens that were trained on in a second, those of all sequences. */
  tokensPerSecond: number;
  /** T, tokens of a sequence. */
  contextLength: number;
  /**
   * Weights of an adapter that is trained beside the model's, which are frozen (LoRA): the backward pass computes no gradients of
   * frozen weights. Default: the model's weights are trained.
   */
  adapterParameters?: number;
  /** The machine, or several of them as one: `{ flopsPerSecond: 8 * machines.h100.flopsPerSecond }`. */
  machine: Pick<Machine, "flopsPerSecond">;
};

/** Share of a machine's arithmetic that training uses. */
export type FlopsUtilization = {
  /**
   * FLOPs of the model for a token: those of the forward pass, and twice as many for the backward pass; with an adapter, less those
   * for gradients of frozen weights.
   */
  readonly flopsPerToken: number;
  /** Unit: FLOPs per second. */
  readonly flopsPerSecond: number;
  /** Model FLOPs utilization, MFU: of the machine's FLOPs per second. */
  readonly utilization: number;
};

/**
 * Model FLOPs utilization (MFU) of a training run: FLOPs that the model needs for the tokens that were trained on, as a share of those
 * that the machine can do in the same time. What is computed twice, as by `remat`, does not count.
 *
 * @param shape - From {@link readConfig}.
 * @throws {ArgumentError} If a figure is not above 0.
 * @see "PaLM: Scaling Language Modeling with Pathways" (2022), arXiv:2204.02311, appendix B
 *
 * @example
 * ```ts
 * import { machines, modelFlopsUtilization, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({ model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 });
 * const speed = { tokensPerSecond: 100_000, contextLength: 1024, machine: machines.a100 };
 * modelFlopsUtilization(shape, speed).utilization.toFixed(2); // => "0.26"
 * ```
 */
export function modelFlopsUtilization(shape: ModelShape, speed: TrainingSpeed): FlopsUtilization {
  const check = checks("modelFlopsUtilization");
  checkShape(check, shape);
  const names = ["tokensPerSecond", "contextLength", "adapterParameters", "machine"] as const;
  const { tokensPerSecond, contextLength, adapterParameters, machine } = check.options(speed, names, "speed");
  check.whole({ contextLength }, { min: 1, unit: "tokens" });
  check.whole({ adapterParameters: adapterParameters ?? 0 }, { min: 0, unit: "weights" });
  checkPositive(check, { tokensPerSecond }, "tokens per second");
  checkPositive(check, { "machine.flopsPerSecond": machine?.flopsPerSecond }, "FLOPs per second");
  // With a byte for each weight, bytes count weights.
  const pass = cost(shape, { queryLength: contextLength, formats: { weights: formats.float8 } });
  const { flops, operators, tokens } = pass;
  // For the gradient of a weight, a product and a sum in each row. Lookups have weights and no FLOPs.
  const ofWeights = operators.reduce(
    (sum, { flops, weightBytes }) => sum + Math.min(flops, 2 * weightBytes * tokens),
    0,
  );
  const flopsPerToken =
    adapterParameters === undefined
      ? (3 * flops) / tokens
      : (3 * flops - ofWeights) / tokens + 6 * adapterParameters;
  const flopsPerSecond = flopsPerToken * tokensPerSecond;
  return { flopsPerToken, flopsPerSecond, utilization: flopsPerSecond / machine.flopsPerSecond };
}
