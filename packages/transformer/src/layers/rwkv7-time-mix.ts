import { checks, type Checks } from "@qkv/core";
import { mix, rwkv7, type LinearParams } from "@qkv/attention";
import {
  add,
  checkTensor,
  full,
  layerNorm,
  linear,
  matmul,
  mul,
  ones,
  permute,
  randn,
  reshape,
  rsqrt,
  sigmoid,
  splitSeed,
  square,
  sub,
  sum,
  tanh,
  uniform,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { checkParams } from "./check-params.js";
import type { NormParams } from "./norm.js";
import { shiftTokens } from "./shift-tokens.js";
import { recordTensor } from "./trace.js";
import type { SequenceLayer, SequenceLayerOptions } from "./transformer-layer.js";

/** Configuration of RWKV-7's time mix. */
export type TimeMixConfig = {
  /** C, the model width. */
  embedDim: number;
  /** N, the head dimension. */
  headDim: number;
  /** Ranks of the low-rank projections. `value`: only in layers after the first. */
  ranks: { decay: number; rate: number; gate: number; value?: number };
  /** Added to the variance of each head's output. */
  normEps: number;
  /** Computes the four large products. Default: `linear` of @qkv/tensor. */
  linear?: typeof linear;
};

/** A low-rank projection: `down` `[C, r]`, `up` `[r, C]`, and a bias `[C]` if it has one. */
export type LowRankParams = { down: Tensor; up: Tensor; bias?: Tensor };

/** Weights of a time mix. */
export type TimeMixParams = {
  /** Token shift coefficients of the input of each projection, `[C]`. */
  shift: Record<"query" | "decay" | "key" | "value" | "rate" | "gate", Tensor>;
  /** `[C, C]`, like key, value and output. */
  query: LinearParams;
  key: LinearParams;
  value: LinearParams;
  output: LinearParams;
  decay: LowRankParams;
  rate: LowRankParams;
  gate: LowRankParams;
  /** Value residual: low-rank projection to the fraction of the first layer's values. Absent in the first layer. */
  valueMix?: LowRankParams;
  /** Scale of the removal key κ (`k_k`), `[C]`. */
  removalKey: Tensor;
  /** Influence of the in-context learning rate on the replacement key (`k_a`), `[C]`. */
  keyRate: Tensor;
  /** Bonus weights of the current token (`r_k`), `[H, N]`. */
  bonus: Tensor;
  /** Gain and bias of the group norm of the heads, `[C]`. */
  outputNorm: NormParams;
};

/** A time mix: created from its configuration; the params are passed to each call. */
export type TimeMix = SequenceLayer<TimeMixParams> & {
  readonly name: string;
  readonly config: TimeMixConfig;
  readonly recurrent: true;
  withLinear(map: typeof linear): TimeMix;
};

/**
 * RWKV-7's time mixing: inputs of all projections are mixed with the previous token (token shift); decay, in-context learning rate, gate and value
 * residual have low-rank projections; heads are normalized, and a bonus of the current token is added.
 *
 * @see "RWKV-7 'Goose' with Expressive Dynamic State Evolution" (2025), arXiv:2503.14456, section 4
 */
export function rwkv7TimeMix(config: TimeMixConfig): TimeMix {
  const { embedDim: C, headDim: N, ranks, normEps: eps, linear: map = linear } = config;
  const H = C / N;
  const fix = "give a size of heads that divides the width.";
  check.each({ headDim: N }, () => Number.isInteger(H), `a divisor of embedDim = ${C}`, fix);
  const isFirst = ranks.value === undefined;
  // The lowest log-decay of a step: −exp(w), where w is at most −½.
  const minLogDecay = -Math.exp(-0.5);
  const lowRank = ({ down, up, bias }: LowRankParams, x: Tensor, activate = identity): Tensor => {
    const rows = matmul(activate(matmul(x, down)), up);
    return bias ? add(rows, bias) : rows;
  };
  return {
    name: "RWKV-7 time mix",
    config,
    recurrent: true,
    valueResidual: true,
    withLinear: (map) => rwkv7TimeMix({ ...config, linear: map }),
    init(seed) {
      const seeds = splitSeed(seed, seedNames);
      const large = (seed: number) => ({ weight: mul(randn([C, C], { seed }), C ** -0.5) });
      const low = (seed: number, rank: number) => ({
        down: mul(randn([C, rank], { seed }), C ** -0.5),
        up: mul(randn([rank, C], { seed: -seed - 1 }), 0.1 * rank ** -0.5),
      });
      const shifts = splitSeed(seeds.shift, shiftNames);
      const shiftEntry = (name: keyof TimeMixParams["shift"]) => [name, uniform([C], { seed: shifts[name] })];
      return {
        shift: Object.fromEntries(shiftNames.map(shiftEntry)) as TimeMixParams["shift"],
        query: large(seeds.query),
        key: large(seeds.key),
        value: large(seeds.value),
        output: large(seeds.output),
        // Initial decay factors exp(minLogDecay · σ(bias)) are between 0.64 and 0.9985.
        decay: {
          ...low(seeds.decay, ranks.decay),
          bias: uniform([C], { seed: -seeds.decay - 2, low: -6, high: 1 }),
        },
        rate: { ...low(seeds.rate, ranks.rate), bias: zeros([C]) },
        gate: low(seeds.gate, ranks.gate),
        ...(ranks.value !== undefined && {
          valueMix: { ...low(seeds.valueMix, ranks.value), bias: zeros([C]) },
        }),
        removalKey: full([C], 0.85),
        keyRate: ones([C]),
        bonus: zeros([H, N]),
        outputNorm: { weight: ones([C]), bias: zeros([C]) },
      };
    },
    apply(params, x, given?: SequenceLayerOptions) {
      const { cache, layer = 0, documents, padding, trace, firstLayer } = onApply.options(given, callNames);
      checkParams(onApply, params, ["shift", "query", "key", "value", "output", "outputNorm"]);
      const [B, T, width] = checkTensor("rwkv7TimeMix.apply", "x", x).shape as [number, number, number];
      onApply.each({ x: width }, () => width === C, `rows of embedDim = ${C}`, "give rows of the model.");
      const cached = cache?.state(layer);
      const { previous, state: shift } = shiftTokens(x, { state: cached?.["shift"], documents, padding });
      const difference = sub(previous, x);
      const shifted = (name: keyof TimeMixParams["shift"]) => add(x, mul(difference, params.shift[name]));
      const project = (name: "query" | "key" | "value", rows: Tensor) =>
        map(rows, params[name].weight, params[name].bias);
      const heads = (rows: Tensor) => permute(reshape(rows, [B, T, H, N]), [0, 2, 1, 3]); // [B, H, T, N]
      const query = heads(project("query", shifted("query")));
      const plainKey = project("key", shifted("key"));
      const valueRows = shifted("value");
      const value = ((): Tensor => {
        const layerValue = project("value", valueRows);
        if (isFirst) {
          if (firstLayer) firstLayer.values = layerValue;
          return layerValue;
        }
        const first = firstLayer?.values ?? refuseWithoutFirst();
        const fraction = sigmoid(lowRank(valueMixParams(params), valueRows));
        return add(layerValue, mul(sub(first, layerValue), fraction));
      })();
      const rate = sigmoid(lowRank(params.rate, shifted("rate")));
      const decayGate = sigmoid(lowRank(params.decay, shifted("decay"), tanh));
      const gate = lowRank(params.gate, shifted("gate"), sigmoid);
      const removal = heads(mul(plainKey, params.removalKey));
      const squaredNorm = sum(square(removal), { axis: -1, keepDims: true });
      const key = heads(mul(plainKey, add(mul(add(rate, -1), params.keyRate), 1)));
      const values = heads(value);
      const initialState = cached?.["state"];
      const { output, state } = mix(
        rwkv7(),
        {
          query,
          key,
          value: values,
          decay: heads(mul(decayGate, minLogDecay)),
          removalKey: mul(removal, rsqrt(add(squaredNorm, 1e-24))),
          rate: heads(rate),
        },
        {
          ...(initialState && { initialState }),
          ...(documents && { documents }),
          ...(padding && { padding }),
        },
      );
      cache?.advance(layer, { state, shift }, padding ?? T);
      const headOutputs = recordTensor(trace, "heads", output);
      const rows = (x: Tensor) => reshape(permute(x, [0, 2, 1, 3]), [B, T, C]);
      const { weight: gain, bias } = params.outputNorm;
      const scaled = mul(rows(layerNorm(headOutputs, undefined, undefined, { eps })), gain);
      const normed = bias ? add(scaled, bias) : scaled;
      const weights = sum(mul(mul(query, key), reshape(params.bonus, [H, 1, N])), {
        axis: -1,
        keepDims: true,
      }); // [B, H, T, 1]
      const gated = mul(add(normed, rows(mul(values, weights))), gate);
      return map(gated, params.output.weight, params.output.bias);
    },
  };
}

const identity = (x: Tensor): Tensor => x;

const shiftNames = ["query", "decay", "key", "value", "rate", "gate"] as const;
const seedNames = ["shift", "query", "key", "value", "output", "decay", "rate", "gate", "valueMix"] as const;
const callNames = ["cache", "layer", "positions", "documents", "padding", "trace", "firstLayer"] as const;

function valueMixParams({ valueMix }: TimeMixParams): LowRankParams {
  checkParams(onApply, { valueMix }, ["valueMix"]);
  return valueMix!;
}

function refuseWithoutFirst(): never {
  return onApply.refuse({
    argument: "firstLayer",
    received: undefined,
    expected: "the values of the first layer, as `ranks.value` says",
    fix: "run a layer without `ranks.value` before it with the same `firstLayer: {}`; a decoder does so itself.",
  });
}

const check: Checks = /* @__PURE__ */ checks("rwkv7TimeMix");
const onApply: Checks = /* @__PURE__ */ checks("rwkv7TimeMix.apply");
