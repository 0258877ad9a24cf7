import { checks } from "@qkv/core";
import {
  add,
  concat,
  cumsum,
  exp,
  expandDims,
  matmul,
  mul,
  slice,
  squeeze,
  stack,
  tensor,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import { queryKeyValue } from "./mixer.js";
import type { OwnFormMixer } from "./own-form-mixer.js";
import { pairwiseDecay } from "./pairwise-decay.js";
import { sharedCount, tokenCount, tokenCountAxes } from "./token-count.js";
import { zerosLike } from "./zeros-like.js";

/** One state for each block size. Those of the bits that are set in `tokens` hold something, the others zeros. */
export type LogLinearAttentionState = {
  /** `[B, H, L - 1, K, V]`: entry b is the state of a block of 2^b tokens. */
  readonly levels: Tensor;
  /** Tokens so far: `[B]` */
  readonly tokens: Tensor;
};

export type LogLinearAttentionOptions = {
  /** Most tokens that are computed at once, a power of 2; changes no number but by rounding. Default 64. */
  chunkSize?: number;
};

/**
 * Log-linear attention: linear attention with a decay whose past is kept in blocks of 1, 2, 4, … tokens (a Fenwick
 * tree), the nearest the smallest, so that a query can weigh near and far differently: `levelWeights` has one number
 * for each block size. A sequence of T tokens needs log₂ T states instead of one, and as much more work.
 *
 * Inputs of {@link mix}: query and key `[B, H, T, K]`, value `[B, H, T, V]`; `decay` `[B, H, T]`, natural logarithms, at
 * most 0; `levelWeights` `[B, H, T, L]`: level 0 is the token itself, level l a block of 2^(l−1) tokens.
 *
 * A state after any number of tokens continues: a sequence in parts gives what the whole gives.
 *
 * @throws {ArgumentError} If an option has an invalid value, or there are more tokens than the levels hold.
 * @see "Log-Linear Attention" (2025), arXiv:2506.04761
 *
 * @example
 * ```ts
 * import { full, ones, randn } from "@qkv/tensor";
 * import { logLinearAttention, mix } from "@qkv/attention";
 *
 * const x = randn([1, 2, 6, 4], { seed: 1 }); // [B, H, T, K]
 * const gates = { decay: full([1, 2, 6], -0.1), levelWeights: ones([1, 2, 6, 4]) };
 * const { output, state } = mix(logLinearAttention(), { query: x, key: x, value: x, ...gates });
 * [output.shape, state.levels.shape]; // => [[1, 2, 6, 4], [1, 2, 3, 4, 4]]
 * ```
 */
export function logLinearAttention(
  options?: LogLinearAttentionOptions,
): OwnFormMixer<"query" | "key" | "value" | "decay" | "levelWeights", never, LogLinearAttentionState> {
  const check = checks("logLinearAttention");
  const { chunkSize = 64 } = check.options(options, ["chunkSize"]);
  const isPowerOfTwo = (size: unknown) => Number.isSafeInteger(Math.log2(size as number));
  check.each({ chunkSize }, (size) => isPowerOfTwo(size) && (size as number) >= 1, "a power of 2, 1 or more");
  return {
    name: "logLinearAttention()",
    inputs: { ...queryKeyValue, decay: "B H T", levelWeights: "B H T L" },
    optional: {},
    stateAxes: { levels: "B H N K V", tokens: tokenCountAxes },
    scale: () => 1,
    ownForm({ inputs, initialState }) {
      const { query, key, value, decay, levelWeights } = inputs;
      const [B, H, T, K] = key.shape as [number, number, number, number];
      const numStates = levelWeights.shape[3]! - 1;
      const nothing = zerosLike(key, [B, H, K, value.shape[3]!]);
      const first = initialState ? sharedCount(initialState.tokens) : 0;
      checkLevels(first + T, numStates + 1);
      checkCounts(first + T, key.dtype);
      const states = initialState
        ? givenStates(initialState, numStates)
        : Array.from({ length: numStates }, () => nothing);
      const outputs: Tensor[] = [];
      for (let start = 0, end = 0; start < T; start = end) {
        const tokens = first + start;
        end = start + blockLength(tokens, T - start, chunkSize);
        const part = (x: Tensor) => slice(x, 2, start, end);
        const [q, k, v, g, weights] = [part(query), part(key), part(value), part(decay), part(levelWeights)];
        const between = squeeze(pairwiseDecay(g), 2); // [B, H, C, C]
        const since = exp(cumsum(g, 2)); // [B, H, C, 1]
        let output = matmul(mul(mul(matmul(q, transpose(k)), between), perPair(weights)), v);
        for (const b of bits(tokens)) {
          const weight = mul(since, slice(weights, 3, b + 1, b + 2));
          output = add(output, mul(weight, matmul(q, states[b]!)));
        }
        outputs.push(output);
        const total = slice(since, 2, -1); // [B, H, 1, 1]
        for (const b of bits(tokens)) states[b] = mul(total, states[b]!);
        // The block joins those of its own size and above that are full, as a carry does.
        let block = matmul(mul(transpose(k), slice(between, 2, -1)), v);
        let b = Math.log2(end - start);
        for (; Math.floor(tokens / 2 ** b) % 2 === 1; b++) {
          block = add(block, states[b]!);
          states[b] = nothing;
        }
        if (b < numStates) states[b] = block;
      }
      const levels = numStates > 0 ? stack(states, 2) : zerosLike(key, [B, H, 0, K, value.shape[3]!]);
      return {
        output: concat(outputs, 2),
        state: { levels, tokens: tokenCount(key, first + T) },
      };
    },
  };
}

/** The longest block, a power of 2, that starts at `tokens` in the tree and fits. */
function blockLength(tokens: number, left: number, most: number): number {
  let length = 1;
  while (length * 2 <= Math.min(left, most) && tokens % (length * 2) === 0) length *= 2;
  return length;
}

/** The blocks that make up the first `tokens` tokens, as exponents of 2. */
function bits(tokens: number): number[] {
  return Array.from({ length: 53 }, (_, b) => b).filter((b) => Math.floor(tokens / 2 ** b) % 2 === 1);
}

/** Weights by level `[B, H, C, L]` to weights by key of the same block `[B, H, C, C]`. */
function perPair(weights: Tensor): Tensor {
  const C = weights.shape[2]!;
  const { dtype, device } = weights;
  // levels[i, l, j] is 1 where key j is at level l of query i.
  const count = Math.log2(C) + 1;
  const levels = new Uint8Array(C * count * C);
  for (let i = 0; i < C; i++) for (let j = 0; j <= i; j++) levels[(i * count + levelOf(i, j)) * C + j] = 1;
  const picks = tensor(Array.from(levels), { shape: [C, count, C], dtype, device });
  const rows = expandDims(slice(weights, 3, 0, count), 3); // [B, H, C, 1, count]
  return squeeze(matmul(rows, picks), 3);
}

/** The level of key j for query i: 0 for itself, else 1 + log₂ of the Fenwick block of [0, i) that holds it. */
function levelOf(i: number, j: number): number {
  if (i === j) return 0;
  let [level, start] = [1, i];
  for (let rest = i, size = 1; rest > 0; size *= 2, level++) {
    if (rest & 1) {
      start -= size;
      if (j >= start) return level;
    }
    rest >>= 1;
  }
  return level;
}

function checkLevels(tokens: number, L: number): void {
  if (tokens <= 2 ** (L - 1)) return;
  checks("logLinearAttention").refuse({
    argument: "levelWeights",
    received: `${L} levels for ${tokens} tokens`,
    expected: `${Math.ceil(Math.log2(tokens)) + 1} levels or more`,
    fix: "give L = ⌈log₂ T⌉ + 1 weights a token, T being the longest sequence.",
  });
}

/** Refuses more tokens than float32 counts one by one. */
function checkCounts(tokens: number, dtype: Tensor["dtype"]): void {
  if (dtype !== "float32" || tokens <= 2 ** 24) return;
  checks("logLinearAttention").refuse({
    argument: "initialState.tokens",
    received: `${tokens} tokens in float32`,
    expected: `at most ${2 ** 24}`,
    fix: "cast inputs and state to float64.",
  });
}

function givenStates({ levels, tokens }: LogLinearAttentionState, numStates: number): Tensor[] {
  const check = checks("logLinearAttention");
  check.whole({ "initialState.tokens": sharedCount(tokens) }, { min: 0, unit: "tokens" });
  if (levels.shape[2] !== numStates) {
    check.refuse({
      argument: "initialState.levels",
      received: levels.shape,
      expected: `${numStates} states, as \`levelWeights\` has ${numStates + 1} levels`,
      fix: "give as many level weights as the call that made the state.",
    });
  }
  return Array.from({ length: numStates }, (_, b) => squeeze(slice(levels, 2, b, b + 1), 2));
}
