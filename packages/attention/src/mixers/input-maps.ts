import { checks } from "@qkv/core";
import {
  add,
  exp,
  log,
  mul,
  neg,
  ones,
  reshape,
  rmsNorm,
  sigmoid,
  softplus,
  splitSeed,
  uniform,
  zeros,
  type Tensor,
} from "@qkv/tensor";

/** Learned tensors of an input map, by name. `bias` is the bias of the projection. */
export type InputMapParams = Readonly<Record<string, Tensor>>;

/** A function from a projection of x to an input of a mixer, with learned tensors. */
export type LearnedInputMap = {
  readonly name: string;
  /** Initial tensors by name. `shape`: shape of the input without batch and tokens, `[H]` or `[H, K]`. */
  init(shape: readonly number[], seed: number): InputMapParams;
  /** Maps `[B, T, H]` or `[B, T, H, K]` to the same shape. */
  apply(x: Tensor, params: InputMapParams): Tensor;
};

/** A function from a projection of x to an input of a mixer: a fixed one, such as `sigmoid`, or one with learned tensors. */
export type InputMap = ((x: Tensor) => Tensor) | LearnedInputMap;

/**
 * The decay of Mamba-2, Gated DeltaNet and Kimi Linear: `−exp(logRate) · softplus(W x + bias)`, with a learned rate and bias per head
 * or per key channel. Initial rates are between 1 and 16, and initial time steps, `softplus(bias)`, between 0.001 and 0.1, so a token
 * initially retains between 0.2 and nearly all of the state.
 *
 * @see "Transformers are SSMs" (2024), arXiv:2405.21060; "Gated Delta Networks" (2024), arXiv:2412.06464
 *
 * @example
 * ```ts
 * import { gla, mixerLayer, softplusDecay } from "@qkv/attention";
 *
 * const layer = mixerLayer({ embedDim: 8, numHeads: 2, mixer: gla(), inputs: { decay: softplusDecay() } });
 * layer.init(1).decay.logRate?.shape; // => [2, 4]
 * ```
 */
export function softplusDecay(): LearnedInputMap {
  return {
    name: "softplusDecay()",
    init(shape, seed) {
      const seeds = splitSeed(seed, ["rate", "bias"]);
      return {
        logRate: log(uniform(shape, { seed: seeds.rate, low: 1, high: 16 })),
        bias: timeStepBias(shape, seeds.bias),
      };
    },
    apply: (x, { logRate }) => neg(mul(softplus(x), exp(logRate!))),
  };
}

/**
 * The decay of gated linear attention: `log(sigmoid(W x)) / temperature`. The temperature makes initial decay factors close to 1, so
 * an untrained state already has a long memory.
 *
 * @param temperature - Default 16.
 * @throws {ArgumentError} If the temperature is not above 0.
 * @see "Gated Linear Attention Transformers with Hardware-Efficient Training" (2023), arXiv:2312.06635
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { logSigmoidDecay } from "@qkv/attention";
 *
 * const decay = logSigmoidDecay(16).apply(zeros([1, 1, 1]), {}); // [B, T, H]
 * Math.exp(16 * decay.data[0]!).toFixed(3); // => "0.500"
 * ```
 */
export function logSigmoidDecay(temperature = 16): LearnedInputMap {
  checks("logSigmoidDecay").finite({ temperature }, { above: 0, fix: "leave it out for 16." });
  return {
    name: `logSigmoidDecay(${temperature})`,
    init: () => ({}),
    apply: (x) => mul(softplus(neg(x)), -1 / temperature),
  };
}

/** The time step of a state space model, `softplus(W x + bias)`: initially between 0.001 and 0.1. */
const timeStep: LearnedInputMap = {
  name: "time step",
  init: (shape, seed) => ({ bias: timeStepBias(shape, seed) }),
  apply: (x) => softplus(x),
};

/** Random biases whose softplus is log-uniform between 0.001 and 0.1, as in Mamba: softplus⁻¹(y) = y + log(1 − e^(−y)). */
function timeStepBias(shape: readonly number[], seed: number): Tensor {
  const step = exp(uniform(shape, { seed, low: Math.log(0.001), high: Math.log(0.1) }));
  return reshape(add(step, log(neg(add(exp(neg(step)), -1)))), [-1]);
}

/** Normalizes the last axis to unit norm (L2): an RMS norm with the gain 1 / √K. */
function toUnitNorm(x: Tensor): Tensor {
  const K = x.shape.at(-1)!;
  const gain = mul(ones([K], { dtype: x.dtype, device: x.device }), 1 / Math.sqrt(K));
  return rmsNorm(x, gain, { eps: 1e-6 / K });
}

const identity = (x: Tensor): Tensor => x;

/** Default maps of mixer inputs, by the name of the input. A name has the same map in all mixers. */
const byName: Readonly<Record<string, InputMap>> = {
  value: identity,
  decay: /* @__PURE__ */ softplusDecay(),
  momentDecay: /* @__PURE__ */ softplusDecay(),
  beta: sigmoid,
  momentBeta: sigmoid,
  erase: sigmoid,
  write: sigmoid,
  rate: sigmoid,
  learningRate: sigmoid,
  forget: sigmoid,
  momentum: sigmoid,
  removalKey: toUnitNorm,
  deltaTime: timeStep,
  slotLogits: identity,
};

/**
 * The default map of an input. Queries and keys of mixers with `beta` or `erase` are normalized to unit norm, since a longer key would
 * erase more than the state contains.
 *
 * @param all - Names of all inputs of the mixer.
 */
export function defaultInputMap(name: string, all: readonly string[]): InputMap | undefined {
  if (name !== "query" && name !== "key") return Object.hasOwn(byName, name) ? byName[name] : undefined;
  return all.includes("beta") || all.includes("erase") ? toUnitNorm : identity;
}

/** An input of a mixer that is a learned tensor, not a projection of x. */
export type LearnedInput = {
  init(shape: readonly number[], seed: number): Tensor;
  apply(x: Tensor): Tensor;
};

/** The rates A of a state space model: initially from −16 to −1, learned as logarithms. */
const negativeRates: LearnedInput = {
  init: (shape, seed) => log(uniform(shape, { seed, low: 1, high: 16 })),
  apply: (x) => neg(exp(x)),
};
const taps: LearnedInput = {
  init: (shape, seed) => mul(uniform(shape, { seed, low: -1, high: 1 }), 1 / Math.sqrt(shape.at(-1)!)),
  apply: identity,
};

/** Inputs that are learned tensors, by name. */
export const learnedInputs: Readonly<Record<string, LearnedInput>> = {
  A: negativeRates,
  taps,
  bonus: { init: (shape) => zeros(shape), apply: identity },
  bias: { init: (shape) => zeros(shape), apply: identity },
  normWeight: { init: (shape) => ones(shape), apply: identity },
  normBias: { init: (shape) => zeros(shape), apply: identity },
  regularization: { init: (shape) => ones(shape), apply: (x) => softplus(x) },
};
