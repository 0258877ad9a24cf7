import { checks, ShapeError, type Checks } from "@qkv/core";
import {
  add,
  checkTensor,
  linear,
  mul,
  reshape,
  sigmoid,
  slice,
  split,
  splitSeed,
  stack,
  sub,
  tanh,
  tensor,
  uniform,
  where,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import type { LinearParams } from "@qkv/attention";
import { checkParams } from "./check-params.js";

/** The weights of a GRU. Rows of each matrix: reset gate, update gate, new gate. */
export type GruParams = {
  /** Input weights `[3 · F, C]` and bias `[3 · F]`. */
  input: LinearParams;
  /** Recurrent weights `[3 · F, F]` and bias `[3 · F]`. */
  state: LinearParams;
};

/** A gated recurrent unit: created from its configuration; the params are passed to each call. */
export type Gru = {
  /** Random weights: uniform between ±1 / √F. */
  init(seed: number): GruParams;
  /**
   * Computes the states of a sequence x, `[B, T, C]`. `state`: the initial state, `[B, F]`, default zeros. `reverse`: true to
   * process the last token first, default false. `lengths`: number of tokens of each sequence without padding, default all; padding does not
   * change the state. Returns the state after each token, `[B, T, F]`, and the final state, `[B, F]`.
   */
  apply(
    params: GruParams,
    x: Tensor,
    options?: { state?: Tensor; reverse?: boolean; lengths?: readonly number[] },
  ): { output: Tensor; state: Tensor };
};

/**
 * A gated recurrent unit, as in PyTorch: `r = σ(Wᵣx + Uᵣh)`, `z = σ(W_z x + U_z h)`, `n = tanh(Wₙx + r · (Uₙh))`, `h ←
 * (1 − z) · n + z · h`. Attention was first added to networks of such units.
 *
 * Costs 6 · F · (C + F) FLOPs per token. Tokens are processed sequentially.
 *
 * @param config - `embedDim` C, `hiddenDim` F, `bias` default true.
 * @throws {ShapeError} If x or the state has another shape.
 * @see "Learning Phrase Representations using RNN Encoder-Decoder" (2014), arXiv:1406.1078
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { gru } from "@qkv/transformer";
 *
 * const layer = gru({ embedDim: 4, hiddenDim: 6 });
 * const { output, state } = layer.apply(layer.init(1), randn([2, 5, 4], { seed: 2 }));
 * [output.shape, state.shape]; // => [[2, 5, 6], [2, 6]]
 * ```
 */
export function gru(config: { embedDim: number; hiddenDim: number; bias?: boolean }): Gru {
  const names = ["embedDim", "hiddenDim", "bias"] as const;
  const { embedDim: C, hiddenDim: F, bias = true } = check.options(config, names, "config");
  check.whole({ embedDim: C, hiddenDim: F }, { min: 1 });
  check.type({ bias }, "boolean");
  return {
    init(seed) {
      const bound = 1 / Math.sqrt(F);
      const draw = (seed: number, shape: number[]) => uniform(shape, { seed, low: -bound, high: bound });
      const randomLinear = (seed: number, inner: number): LinearParams => {
        const seeds = splitSeed(seed, ["weight", "bias"]);
        return {
          weight: draw(seeds.weight, [3 * F, inner]),
          ...(bias && { bias: draw(seeds.bias, [3 * F]) }),
        };
      };
      const seeds = splitSeed(seed, ["input", "state"]);
      return { input: randomLinear(seeds.input, C), state: randomLinear(seeds.state, F) };
    },
    apply(params, x, options) {
      const { state, reverse = false, lengths } = check.options(options, ["state", "reverse", "lengths"]);
      check.type({ reverse }, "boolean");
      checkParams(check, params, ["input.weight", "state.weight"]);
      const { input, state: recurrent } = params;
      const [B, T] = checkShape("x", x, ["B", "T", C]) as [number, number, number];
      let h = state ?? zeros([B, F], { dtype: x.dtype, device: x.device });
      checkShape("state", h, [B, F]);
      if (lengths && lengths.length !== B) refuseLengths(lengths.length, B);
      const fromInput = linear(x, input.weight, input.bias); // [B, T, 3F], for all tokens at once
      const states = new Array<Tensor>(T);
      for (let n = 0; n < T; n++) {
        const t = reverse ? T - 1 - n : n;
        const [rx, zx, nx] = split(reshape(slice(fromInput, 1, t, t + 1), [B, 3 * F]), 3, 1);
        const [rh, zh, nh] = split(linear(h, recurrent.weight, recurrent.bias), 3, 1);
        const z = sigmoid(add(zx!, zh!));
        const candidate = tanh(add(nx!, mul(sigmoid(add(rx!, rh!)), nh!)));
        const next = add(mul(sub(1, z), candidate), mul(z, h)); // [B, F]
        h = lengths?.some((length) => t >= length) ? where(isTokenAt(t, lengths, h), next, h) : next;
        states[t] = h;
      }
      const output = T > 0 ? stack(states, 1) : zeros([B, 0, F], { dtype: x.dtype, device: x.device });
      return { output, state: h };
    },
  };
}

/** True for sequences in which token t is not padding, `[B, 1]`. */
function isTokenAt(t: number, lengths: readonly number[], { device }: Tensor): Tensor {
  const isToken = lengths.map((length) => Number(t < length));
  return tensor(isToken, { shape: [lengths.length, 1], dtype: "bool", device });
}

function checkShape(
  argument: string,
  x: Tensor,
  expectedShape: readonly (number | string)[],
): readonly number[] {
  const { shape } = checkTensor("gru", argument, x);
  const fits =
    shape.length === expectedShape.length &&
    shape.every((n, a) => typeof expectedShape[a] === "string" || n === expectedShape[a]);
  if (fits) return shape;
  check.refuse(
    {
      argument,
      received: shape,
      expected: `[${expectedShape.join(", ")}]`,
      fix: "give batches of rows as wide as embedDim, and a state as wide as hiddenDim.",
    },
    ShapeError,
  );
}

function refuseLengths(received: number, B: number): never {
  check.refuse({
    argument: "lengths",
    received: `${received} lengths`,
    expected: `${B}, one for each sequence`,
    fix: "give the number of real tokens of each sequence of x.",
  });
}

const check: Checks = /* @__PURE__ */ checks("gru");
