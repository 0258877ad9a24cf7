import { checks } from "@qkv/core";
import { add, concat, matmul, mul, slice, sub, transpose, type Tensor } from "@qkv/tensor";
import { blockRanges } from "./block-ranges.js";
import type { OwnFormMixer } from "./own-form-mixer.js";
import { layerNormGradient, withNormalized, type InnerGradient } from "./reconstruction.js";
import { sharedCount, tokenCount, tokenCountAxes } from "./token-count.js";
import { zerosLike } from "./zeros-like.js";

/** A linear memory, its momentum, and the memory at which gradients are taken. */
export type TitansState = {
  /** M, `[B, H, K, K]`, key by value. */
  readonly memory: Tensor;
  /** S, `[B, H, K, K]` */
  readonly momentum: Tensor;
  /** M at the start of the unfinished chunk, `[B, H, K, K]`. */
  readonly chunkStart: Tensor;
  /** Tokens of the unfinished chunk, 0 to `chunkSize - 1`: `[B]` */
  readonly tokens: Tensor;
};

/** A state while tokens are read, all sequences of the batch at the same index of their chunk. */
type Learner = Omit<TitansState, "tokens"> & { readonly tokens: number };

export type TitansOptions = {
  /** Tokens whose gradients are taken at one memory. Part of the definition: other sizes are other models. Default 16. */
  chunkSize?: number;
  /** Default 1e-6. */
  eps?: number;
  /** Gradient of the inner loss. Default: that of `½ ‖layerNorm(k M) − (v − k)‖²`; it is taken twice. */
  gradient?: InnerGradient;
};

/**
 * Titans with a linear memory: the state learns to give the value of a key, by gradient descent with momentum and
 * weight decay: `S ← η S − 2 θ kᵀ ∇`, `M ← (1 − α) M + S`, the gradient ∇ taken at the memory where the token's chunk
 * began. The output is `z + layerNorm(z)` of `z = q M`, read after the write.
 *
 * Inputs of {@link mix}: query, key and value `[B, H, T, K]`, of one width; `learningRate` θ, `forget` α (the part of the
 * memory that a token forgets) and `momentum` η (the part of the momentum that it keeps), `[B, H, T]`, the last two from
 * 0 to 1; `normWeight` and `normBias` `[H, K]` of the inner layer norm.
 *
 * Inside a chunk both recurrences are linear in what is written, so all queries read at once. A state after any number
 * of tokens continues: a sequence in parts gives what the whole gives.
 *
 * @throws {ArgumentError} If an option has an invalid value, or a state is of another chunk size.
 * @see "Titans: Learning to Memorize at Test Time" (2025), arXiv:2501.00663
 *
 * @example
 * ```ts
 * import { full, ones, randn, zeros } from "@qkv/tensor";
 * import { mix, titans } from "@qkv/attention";
 *
 * const x = randn([1, 2, 6, 4], { seed: 1 }); // [B, H, T, K]
 * const rate = (value: number) => full([1, 2, 6], value);
 * const gates = { learningRate: rate(0.1), forget: rate(0.05), momentum: rate(0.9) };
 * const norm = { normWeight: ones([2, 4]), normBias: zeros([2, 4]) };
 * const { output, state } = mix(titans(), { query: x, key: x, value: x, ...gates, ...norm });
 * [output.shape, state.memory.shape]; // => [[1, 2, 6, 4], [1, 2, 4, 4]]
 * ```
 */
export function titans(
  options?: TitansOptions,
): OwnFormMixer<
  "query" | "key" | "value" | "learningRate" | "forget" | "momentum" | "normWeight" | "normBias",
  never,
  TitansState
> {
  const check = checks("titans");
  const names = ["chunkSize", "eps", "gradient"] as const;
  const { chunkSize = 16, eps = 1e-6, gradient = layerNormGradient } = check.options(options, names);
  check.whole({ chunkSize }, { min: 1, unit: "tokens" });
  check.finite({ eps }, { min: 0 });
  check.type({ gradient }, "function");
  return {
    name: `titans(${chunkSize})`,
    inputs: {
      query: "B H T K",
      key: "B H T K",
      value: "B H T K",
      learningRate: "B H T",
      forget: "B H T",
      momentum: "B H T",
      normWeight: "H K",
      normBias: "H K",
    },
    optional: {},
    stateAxes: { memory: "B H K K", momentum: "B H K K", chunkStart: "B H K K", tokens: tokenCountAxes },
    scale: () => 1,
    ownForm({ inputs, initialState }) {
      const { query, key, value, learningRate, forget, momentum } = inputs;
      const norm = { weight: inputs.normWeight, bias: inputs.normBias, eps };
      let state: Learner = initialState
        ? { ...initialState, tokens: sharedCount(initialState.tokens) }
        : firstState(query);
      const fix = "continue with the `chunkSize` that made the state.";
      const { tokens } = state;
      check.whole({ "initialState.tokens": tokens }, { min: 0, max: chunkSize - 1, unit: "tokens", fix });
      const target = sub(value, key);
      const outputs = blockRanges(query.shape[2]!, chunkSize, tokens).map(([start, end]) => {
        const part = (x: Tensor) => slice(x, 2, start, end);
        const [q, k] = [part(query), part(key)];
        const slope = gradient(matmul(k, state.chunkStart), part(target), norm);
        const step = mul(mul(part(learningRate), slope), -2);
        const share = shares(part(forget), part(momentum));
        const before = add(
          mul(share.ofMemory, matmul(q, state.memory)),
          mul(share.ofMomentum, matmul(q, state.momentum)),
        );
        const read = add(before, matmul(mul(share.ofSteps, matmul(q, transpose(k))), step));
        state = write(state, share, k, step, chunkSize);
        return withNormalized(read, norm);
      });
      return { output: concat(outputs, 2), state: { ...state, tokens: tokenCount(query, state.tokens) } };
    },
  };
}

/** Shares that make up the memory after each of C tokens, and the momentum after the last. */
type Shares = {
  /** `[B, H, C, 1]` */
  ofMemory: Tensor;
  /** `[B, H, C, 1]` */
  ofMomentum: Tensor;
  /** `[B, H, C, C]`: column j is the share of the step that token j writes; 0 above the diagonal. */
  ofSteps: Tensor;
  /** The momentum after the last token: shares of the momentum and of the steps, `[B, H, 1, 1 + C]`. */
  last: Tensor;
};

/** Runs both recurrences over shares instead of matrices. Gates are `[B, H, C, 1]`. */
function shares(forget: Tensor, momentum: Tensor): Shares {
  const [B, H, C] = forget.shape as [number, number, number, number];
  const zero = (width: number) => zerosLike(forget, [B, H, 1, width]);
  const one = add(zero(1), 1);
  const oneAt = (column: number) =>
    concat(
      [zero(column), one, zero(C - column)].filter(({ shape }) => shape[3]! > 0),
      3,
    );
  // Columns: the momentum before, then the steps; the memory before has one of its own.
  let [ofStart, inMomentum, inMemory] = [one, oneAt(0), zero(C + 1)];
  const rows: { start: Tensor; memory: Tensor }[] = [];
  for (let t = 0; t < C; t++) {
    const keep = sub(1, slice(forget, 2, t, t + 1));
    inMomentum = add(mul(slice(momentum, 2, t, t + 1), inMomentum), oneAt(t + 1));
    inMemory = add(mul(keep, inMemory), inMomentum);
    ofStart = mul(keep, ofStart);
    rows.push({ start: ofStart, memory: inMemory });
  }
  const memory = concat(
    rows.map((row) => row.memory),
    2,
  );
  return {
    ofMemory: concat(
      rows.map((row) => row.start),
      2,
    ),
    ofMomentum: slice(memory, 3, 0, 1),
    ofSteps: slice(memory, 3, 1),
    last: inMomentum,
  };
}

function write(state: Learner, share: Shares, key: Tensor, step: Tensor, size: number): Learner {
  const last = (x: Tensor) => slice(x, 2, -1); // [B, H, 1, …]
  /** Σ_j share_j k_jᵀ step_j, from shares `[B, H, 1, C]`. */
  const written = (row: Tensor) => matmul(transpose(key), mul(transpose(row), step));
  const memory = add(
    add(mul(last(share.ofMemory), state.memory), mul(last(share.ofMomentum), state.momentum)),
    written(last(share.ofSteps)),
  );
  const momentum = add(mul(slice(share.last, 3, 0, 1), state.momentum), written(slice(share.last, 3, 1)));
  const tokens = state.tokens + key.shape[2]!;
  return tokens < size
    ? { memory, momentum, chunkStart: state.chunkStart, tokens }
    : { memory, momentum, chunkStart: memory, tokens: 0 };
}

function firstState(query: Tensor): Learner {
  const [B, H, , K] = query.shape as [number, number, number, number];
  const nothing = zerosLike(query, [B, H, K, K]);
  return { memory: nothing, momentum: nothing, chunkStart: nothing, tokens: 0 };
}
