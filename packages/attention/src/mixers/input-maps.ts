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

/** Tensors that an input map learns, by name. `bias` is that of the projection. */
export type InputMapParams = Readonly<Record<string, Tensor>>;

/** The last step from a projection of x to an input of a mixer, with tensors of its own that are learned. */
export type LearnedInputMap = {
  readonly name: string;
  /** Learned tensors by name. `shape`: the axes of the input besides batches and tokens, `[H]` or `[H, K]`. */
  init(shape: readonly number[], seed: number): InputMapParams;
  /** `[B, T, H]` or `[B, T, H, K]` to the same shape. */
  apply(x: Tensor, params: InputMapParams): Tensor;
};

/** The last step from a projection of x to an input of a mixer: a function, such as `sigmoid`, or one that learns. */
export type InputMap = ((x: Tensor) => Tensor) | LearnedInputMap;

/**
 * A decay as in Mamba-2, Gated DeltaNet and Kimi Linear: `−exp(logRate) · softplus(W x + bias)`, with a rate and a bias
 * for each head, or for each key channel. At the start a token keeps from 0.2 to nearly all of a state: rates lie
 * between 1 and 16, time steps between 0.001 and 0.1.
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
 * A decay as in gated linear attention: `log(sigmoid(W x)) / temperature`. The temperature holds decays near 1, so that
 * a state remembers from the start.
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

/** A time step of a state space model, `softplus(W x + bias)`: between 0.001 and 0.1 at the start. */
const timeStep: LearnedInputMap = {
  name: "time step",
  init: (shape, seed) => ({ bias: timeStepBias(shape, seed) }),
  apply: (x) => softplus(x),
};

/** Biases whose softplus is spread evenly, by its logarithm, from 0.001 to 0.1. */
function timeStepBias(shape: readonly number[], seed: number): Tensor {
  const step = exp(uniform(shape, { seed, low: Math.log(0.001), high: Math.log(0.1) }));
  return reshape(add(step, log(neg(add(exp(neg(step)), -1)))), [-1]);
}

/** Vectors of length 1. */
function toUnitLength(x: Tensor): Tensor {
  const K = x.shape.at(-1)!;
  const even = mul(ones([K], { dtype: x.dtype, device: x.device }), 1 / Math.sqrt(K));
  return rmsNorm(x, even, { eps: 1e-6 / K });
}

const same = (x: Tensor): Tensor => x;

/** Maps of the inputs that mixers name. The names of one meaning have one map, whatever the mixer. */
const byName: Readonly<Record<string, InputMap>> = {
  value: same,
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
  removalKey: toUnitLength,
  deltaTime: timeStep,
  slotLogits: same,
};

/**
 * The map of an input where a layer gives none. Mixers that erase what a key reads need keys of length 1: a longer one
 * would remove more than there is.
 */
export function defaultInputMap(name: string, all: readonly string[]): InputMap | undefined {
  if (name !== "query" && name !== "key") return Object.hasOwn(byName, name) ? byName[name] : undefined;
  return all.includes("beta") || all.includes("erase") ? toUnitLength : same;
}

/** A learned tensor that is an input itself, not a projection of x. */
export type LearnedInput = {
  init(shape: readonly number[], seed: number): Tensor;
  apply(x: Tensor): Tensor;
};

/** Rates of a state space model: from −16 to −1 at the start, learned as logarithms. */
const negativeRates: LearnedInput = {
  init: (shape, seed) => log(uniform(shape, { seed, low: 1, high: 16 })),
  apply: (x) => neg(exp(x)),
};
const taps: LearnedInput = {
  init: (shape, seed) => mul(uniform(shape, { seed, low: -1, high: 1 }), 1 / Math.sqrt(shape.at(-1)!)),
  apply: same,
};

/** Inputs that are learned tensors, by name. */
export const learnedInputs: Readonly<Record<string, LearnedInput>> = {
  A: negativeRates,
  taps,
  bonus: { init: (shape) => zeros(shape), apply: same },
  bias: { init: (shape) => zeros(shape), apply: same },
  normWeight: { init: (shape) => ones(shape), apply: same },
  normBias: { init: (shape) => zeros(shape), apply: same },
  regularization: { init: (shape) => ones(shape), apply: (x) => softplus(x) },
};
