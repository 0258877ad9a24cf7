import { checks } from "@qkv/core";
import { checkPositive, checkShape } from "./check-call.js";
import { cost } from "./cost.js";
import { formats } from "./formats.js";
import type { Machine } from "./machine.js";
import type { ModelShape } from "./model-shape.js";

/** Measured speed of training. */
export type TrainingSpeed = {
  /** Training throughput over all sequences. */
  tokensPerSecond: number;
  /** Tokens of a sequence. */
  contextLength: number;
  /**
   * Number of weights of a trained adapter (LoRA). The model's weights are then frozen, and the backward pass computes no
   * gradients of them. Default: no adapter, the model's weights are trained.
   */
  adapterParameters?: number;
  /** The machine. For several, give their sum: `{ flopsPerSecond: 8 * machines.h100.flopsPerSecond }`. */
  machine: Pick<Machine, "flopsPerSecond">;
};

/** Fraction of a machine's peak FLOPs that training uses. */
export type FlopsUtilization = {
  /**
   * FLOPs of the model per token: the forward pass, and twice as many for the backward pass; with an adapter, without the
   * gradients of frozen weights.
   */
  readonly flopsPerToken: number;
  /** Unit: FLOPs per second. */
  readonly flopsPerSecond: number;
  /** Model FLOPs utilization (MFU): fraction of the machine's FLOPs per second, 0 to 1. */
  readonly utilization: number;
};

/**
 * Model FLOPs utilization (MFU) of a training run: the FLOPs that the model needs for its tokens, divided by the machine's peak in
 * the same time. Recomputation, as by `remat` (gradient checkpointing), does not count.
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
  // With 1 byte per weight, `weightBytes` is the number of weights.
  const pass = cost(shape, { queryLength: contextLength, formats: { weights: formats.float8 } });
  const { flops, operators, tokens } = pass;
  // The gradient of a weight takes a multiplication and an addition per row. Lookups have weights and no FLOPs.
  const weightGradientFlops = operators.reduce(
    (sum, { flops, weightBytes }) => sum + Math.min(flops, 2 * weightBytes * tokens),
    0,
  );
  const flopsPerToken =
    adapterParameters === undefined
      ? (3 * flops) / tokens
      : (3 * flops - weightGradientFlops) / tokens + 6 * adapterParameters;
  const flopsPerSecond = flopsPerToken * tokensPerSecond;
  return { flopsPerToken, flopsPerSecond, utilization: flopsPerSecond / machine.flopsPerSecond };
}
