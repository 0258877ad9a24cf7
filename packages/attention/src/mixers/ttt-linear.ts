import { checks } from "@qkv/core";
import { add, concat, matmul, mul, slice, sub, sum, transpose, tril, type Tensor } from "@qkv/tensor";
import { blockRanges } from "./block-ranges.js";
import type { OwnFormMixer } from "./own-form-mixer.js";
import { layerNormGradient, withNormalized, type InnerGradient } from "./reconstruction.js";
import { sharedCount, tokenCount, tokenCountAxes } from "./token-count.js";
import { zerosLike } from "./zeros-like.js";

/** A linear model, and the gradient that the tokens of an unfinished mini-batch have gathered. */
export type TttLinearState = {
  /** `[B, H, K, K]`, key by value. */
  readonly weight: Tensor;
  /** `[B, H, 1, K]` */
  readonly bias: Tensor;
  /** `[B, H, K, K]`: zeros at the start of a mini-batch. */
  readonly weightGradient: Tensor;
  /** `[B, H, 1, K]` */
  readonly biasGradient: Tensor;
  /** Tokens of the unfinished mini-batch, 0 to `miniBatchSize - 1`: `[B]` */
  readonly tokens: Tensor;
};

/** A state while tokens are read, all sequences of the batch at the same index of their mini-batch. */
type Learner = Omit<TttLinearState, "tokens"> & { readonly tokens: number };

export type TttLinearOptions = {
  /** Tokens whose gradients are taken at one state. Part of the definition: other sizes are other models. Default 16. */
  miniBatchSize?: number;
  /** Default 1e-6. */
  eps?: number;
  /** Gradient of the inner loss. Default: that of `½ ‖layerNorm(k W + b) − (v − k)‖²`. */
  gradient?: InnerGradient;
};

/**
 * TTT-linear: the state is a linear model that learns, token by token, to give the value of a key. Each token's gradient
 * is taken at the state where its mini-batch began; a query reads the state minus its own step size times the gradients
 * so far, and at the end of the mini-batch the state takes that step with the last token's size. The output is
 * `z + layerNorm(z)` of what was read.
 *
 * Inputs of {@link mix}: query, key and value `[B, H, T, K]`, of one width; `learningRate` `[B, H, T]`; `normWeight` and
 * `normBias` `[H, K]` of the inner layer norm. A state after any number of tokens continues: a sequence in parts gives
 * what the whole gives.
 *
 * @throws {ArgumentError} If an option has an invalid value, or a state is of another mini-batch size.
 * @see "Learning to (Learn at Test Time): RNNs with Expressive Hidden States" (2024), arXiv:2407.04620
 *
 * @example
 * ```ts
 * import { full, ones, randn, zeros } from "@qkv/tensor";
 * import { mix, tttLinear } from "@qkv/attention";
 *
 * const x = randn([1, 2, 6, 4], { seed: 1 }); // [B, H, T, K]
 * const norm = { normWeight: ones([2, 4]), normBias: zeros([2, 4]) };
 * const inputs = { query: x, key: x, value: x, learningRate: full([1, 2, 6], 0.1), ...norm };
 * const { output, state } = mix(tttLinear({ miniBatchSize: 4 }), inputs);
 * [output.shape, state.weight.shape, state.tokens.data[0]]; // => [[1, 2, 6, 4], [1, 2, 4, 4], 2]
 * ```
 */
export function tttLinear(
  options?: TttLinearOptions,
): OwnFormMixer<
  "query" | "key" | "value" | "learningRate" | "normWeight" | "normBias",
  never,
  TttLinearState
> {
  const check = checks("tttLinear");
  const names = ["miniBatchSize", "eps", "gradient"] as const;
  const { miniBatchSize = 16, eps = 1e-6, gradient = layerNormGradient } = check.options(options, names);
  check.whole({ miniBatchSize }, { min: 1, unit: "tokens" });
  check.finite({ eps }, { min: 0 });
  check.type({ gradient }, "function");
  return {
    name: `tttLinear(${miniBatchSize})`,
    inputs: {
      query: "B H T K",
      key: "B H T K",
      value: "B H T K",
      learningRate: "B H T",
      normWeight: "H K",
      normBias: "H K",
    },
    optional: {},
    stateAxes: {
      weight: "B H K K",
      bias: "B H 1 K",
      weightGradient: "B H K K",
      biasGradient: "B H 1 K",
      tokens: tokenCountAxes,
    },
    scale: ({ keyDim }) => 1 / Math.sqrt(keyDim),
    ownForm({ inputs, initialState }) {
      const { query, key, value, learningRate } = inputs;
      const norm = { weight: inputs.normWeight, bias: inputs.normBias, eps };
      let state: Learner = initialState
        ? { ...initialState, tokens: sharedCount(initialState.tokens) }
        : firstState(query);
      const fix = "continue with the `miniBatchSize` that made the state.";
      const { tokens } = state;
      check.whole({ "initialState.tokens": tokens }, { min: 0, max: miniBatchSize - 1, unit: "tokens", fix });
      const target = sub(value, key);
      const outputs = blockRanges(query.shape[2]!, miniBatchSize, tokens).map(([start, end]) => {
        const part = (x: Tensor) => slice(x, 2, start, end);
        const [q, k, rate] = [part(query), part(key), part(learningRate)];
        const outputGradient = gradient(add(matmul(k, state.weight), state.bias), part(target), norm);
        // The 1 is the bias: a channel of query and key that is always 1.
        const ownGradients = matmul(tril(add(matmul(q, transpose(k)), 1)), outputGradient);
        const earlierGradients = add(matmul(q, state.weightGradient), state.biasGradient);
        const read = add(matmul(q, state.weight), state.bias);
        state = learn(state, k, outputGradient, rate, miniBatchSize);
        return withNormalized(sub(read, mul(rate, add(earlierGradients, ownGradients))), norm);
      });
      return { output: concat(outputs, 2), state: { ...state, tokens: tokenCount(query, state.tokens) } };
    },
  };
}

/**
 * Adds the gradients of keys `[B, H, C, K]`, and takes the step where the mini-batch ends.
 *
 * @param outputGradient - Gradient of the inner loss by the output of the linear model, `[B, H, C, K]`.
 */
function learn(state: Learner, key: Tensor, outputGradient: Tensor, rate: Tensor, size: number): Learner {
  const weightGradient = add(state.weightGradient, matmul(transpose(key), outputGradient));
  const biasGradient = add(state.biasGradient, sum(outputGradient, { axis: 2, keepDims: true }));
  const tokens = state.tokens + key.shape[2]!;
  if (tokens < size) return { ...state, weightGradient, biasGradient, tokens };
  const last = slice(rate, 2, -1); // [B, H, 1, 1]
  return {
    weight: sub(state.weight, mul(last, weightGradient)),
    bias: sub(state.bias, mul(last, biasGradient)),
    weightGradient: zerosLike(weightGradient, weightGradient.shape),
    biasGradient: zerosLike(biasGradient, biasGradient.shape),
    tokens: 0,
  };
}

function firstState(query: Tensor): Learner {
  const [B, H, , K] = query.shape as [number, number, number, number];
  const [weight, bias] = [zerosLike(query, [B, H, K, K]), zerosLike(query, [B, H, 1, K])];
  return { weight, bias, weightGradient: weight, biasGradient: bias, tokens: 0 };
}
