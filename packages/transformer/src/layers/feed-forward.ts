import { checks, type Checks } from "@qkv/core";
import {
  add,
  checkTensor,
  clamp,
  linear,
  minimum,
  mul,
  randn,
  splitSeed,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import type { LinearParams } from "@qkv/attention";
import { checkParams } from "./check-params.js";
import { activationFunction, type Activation } from "./activation.js";
import { gaussianTopK } from "./gaussian-top-k.js";
import { recordTensor, type ModelTrace } from "./trace.js";
import { xieluParams, type XieluParams } from "./xielu.js";

/** Configuration of a feed-forward layer. */
export type FeedForwardConfig = {
  /** C, the model width. */
  embedDim: number;
  /** F, the hidden width. */
  hiddenDim: number;
  /** Default `silu`. */
  activation?: Activation;
  /** Gated feed-forward layer: SwiGLU with `silu`, GeGLU with `gelu`. Default true. */
  gated?: boolean;
  /** Limits of a gated layer. Default: none. */
  gateLimit?: GateLimit;
  /**
   * Activation sparsity (Gemma 3n): the fraction of a token's gates that become 0, for normally distributed gates. At least 0 and below
   * 1. Default 0: no sparsity.
   */
  sparsity?: number;
  /** Adds biases. Default false. */
  bias?: boolean;
  /** Computes the linear projections. Default: `linear` of @qkv/tensor; `anyLinear` takes quantized weights too. */
  linear?: typeof linear;
};

/**
 * Limits of a gated layer, as in gpt-oss: gates are clamped to at most `limit`, the up projection to ±`limit`, and `offset` is added to it.
 */
export type GateLimit = {
  limit: number;
  /** Default 0; gpt-oss: 1. */
  offset?: number;
};

/** The weights of a feed-forward layer. */
export type FeedForwardParams = {
  /** `[F, C]`. Only in a gated layer. */
  gate?: LinearParams;
  /** `[F, C]` */
  up: LinearParams;
  /** `[C, F]` */
  down: LinearParams;
  /** Params of the activation `xielu`. */
  xielu?: XieluParams;
};

/** Names of the seeds for initial matrices of a feed-forward layer. `router`: of a mixture of experts. */
export const feedForwardParts = ["gate", "up", "down", "router"] as const;

/** A feed-forward layer: created from its configuration; the params are passed to each call. */
export type FeedForward = {
  /** Random weights: normal with variance 1 / fan-in; biases 0. */
  init(seed: number): FeedForwardParams;
  /** `[…, C]` to `[…, C]`. `trace`: records and replaces its neurons, `feedForwardHidden`. */
  apply(params: FeedForwardParams, x: Tensor, options?: { trace?: ModelTrace }): Tensor;
};

/**
 * The feed-forward layer, applied to each token separately: gated, `down(silu(gate x) · up x)` (SwiGLU, as in Llama),
 * or plain, `down(gelu(up x))` (as in GPT-2).
 *
 * @param config - `embedDim` C and `hiddenDim` F; `activation`, `gated`, `sparsity`, `bias`.
 * @throws {ArgumentError} If there is no such activation.
 * @see "GLU Variants Improve Transformer" (2020), arXiv:2002.05202
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { feedForward } from "@qkv/transformer";
 *
 * const layer = feedForward({ embedDim: 8, hiddenDim: 20 });
 * layer.apply(layer.init(1), randn([1, 3, 8], { seed: 2 })).shape; // => [1, 3, 8]
 * const plain = feedForward({ embedDim: 8, hiddenDim: 32, activation: "geluTanh", gated: false, bias: true });
 * Object.keys(plain.init(1)); // => ["up", "down"]
 * ```
 */
export function feedForward(config: FeedForwardConfig): FeedForward {
  const options = check.options(config, feedForwardNames, "config");
  const { embedDim: C, hiddenDim: F, gated = true, bias = false, linear: project = linear } = options;
  check.whole({ embedDim: C, hiddenDim: F }, { min: 1 });
  const { gateLimit, activation } = options;
  check.type({ gated, bias }, "boolean");
  if (gateLimit) checkGateLimit(gateLimit, gated);
  const activate = activationFunction("feedForward", activation ?? "silu");
  const { sparsity = 0 } = options;
  const sparsify = checkSparsity(sparsity, gated) > 0 ? gaussianTopK(sparsity) : (gate: Tensor) => gate;
  const applyGate = (gate: Tensor, upProjected: Tensor, xielu: XieluParams | undefined): Tensor => {
    if (!gateLimit) return mul(activate(gate, xielu), upProjected);
    const { limit, offset = 0 } = gateLimit;
    const clamped = clamp(upProjected, { min: -limit, max: limit });
    return mul(activate(minimum(gate, limit), xielu), offset === 0 ? clamped : add(clamped, offset));
  };
  return {
    init(seed) {
      const seeds = splitSeed(seed, feedForwardParts);
      const randomLinear = (seed: number, out: number, inner: number): LinearParams => ({
        weight: mul(randn([out, inner], { seed }), 1 / Math.sqrt(inner)),
        ...(bias && { bias: zeros([out]) }),
      });
      return {
        ...(gated && { gate: randomLinear(seeds.gate, F, C) }),
        up: randomLinear(seeds.up, F, C),
        down: randomLinear(seeds.down, C, F),
        ...(activation === "xielu" && { xielu: xieluParams() }),
      };
    },
    apply(params, x, { trace } = {}) {
      checkParams(onApply, params, ["up.weight", "down.weight"]);
      checkTensor("feedForward.apply", "x", x);
      const { gate, up, down, xielu } = params;
      const upProjected = project(x, up.weight, up.bias); // […, F]
      const hidden = gate
        ? applyGate(sparsify(project(x, gate.weight, gate.bias)), upProjected, xielu)
        : activate(upProjected, xielu);
      return project(recordTensor(trace, "feedForwardHidden", hidden), down.weight, down.bias);
    },
  };
}

function checkGateLimit(given: GateLimit, gated: boolean): void {
  const { limit, offset = 0 } = check.options(given, ["limit", "offset"], "gateLimit");
  check.finite({ "gateLimit.limit": limit }, { above: 0, fix: "leave `gateLimit` out for none." });
  check.finite({ "gateLimit.offset": offset });
  const fix = "leave `gateLimit` out.";
  check.each({ gateLimit: given }, () => gated, "none, as the layer is not gated", fix);
}

function checkSparsity(sparsity: number, gated: boolean): number {
  const fix = "give the share of gates that stay closed, or leave it out for none.";
  check.finite({ sparsity }, { min: 0, below: 1, fix });
  check.each({ sparsity }, () => sparsity === 0 || gated, "0, as the layer is not gated", fix);
  return sparsity;
}

const check: Checks = /* @__PURE__ */ checks("feedForward");
const onApply: Checks = /* @__PURE__ */ checks("feedForward.apply");
const feedForwardNames: readonly (keyof FeedForwardConfig)[] = [
  "embedDim",
  "hiddenDim",
  "activation",
  "gated",
  "gateLimit",
  "sparsity",
  "bias",
  "linear",
];
