import { checks, type Checks } from "@qkv/core";
import type { LinearParams } from "@qkv/attention";
import {
  add,
  checkTensor,
  linear,
  mul,
  randn,
  relu,
  splitSeed,
  square,
  sub,
  uniform,
  type Tensor,
} from "@qkv/tensor";
import { checkParams } from "./check-params.js";
import { shiftTokens } from "./shift-tokens.js";
import type { SequenceLayer, SequenceLayerOptions } from "./transformer-layer.js";

/** Configuration of RWKV-7's channel mix. */
export type ChannelMixConfig = {
  /** C, the model width. */
  embedDim: number;
  /** F, the hidden width. */
  hiddenDim: number;
  /** Computes the two products. Default: `linear` of @qkv/tensor. */
  linear?: typeof linear;
};

/** Weights of a channel mix. */
export type ChannelMixParams = {
  /** Token shift coefficients, `[C]`. */
  shift: Tensor;
  /** `[F, C]` */
  up: LinearParams;
  /** `[C, F]` */
  down: LinearParams;
};

/** A channel mix: created from its configuration; the params are passed to each call. */
export type ChannelMix = SequenceLayer<ChannelMixParams> & {
  readonly name: string;
  readonly config: ChannelMixConfig;
  readonly recurrent: true;
  withLinear(project: typeof linear): ChannelMix;
};

/**
 * RWKV-7's feed-forward layer, `down(relu(up y)²)`, where y is a token mixed with the previous one (token shift), which the cache holds.
 *
 * @see "RWKV-7 'Goose' with Expressive Dynamic State Evolution" (2025), arXiv:2503.14456, section 4
 */
export function rwkv7ChannelMix(config: ChannelMixConfig): ChannelMix {
  const { embedDim: C, hiddenDim: F, linear: project = linear } = config;
  return {
    name: "RWKV-7 channel mix",
    config,
    recurrent: true,
    withLinear: (project) => rwkv7ChannelMix({ ...config, linear: project }),
    init(seed) {
      const seeds = splitSeed(seed, ["shift", "up", "down"]);
      return {
        shift: uniform([C], { seed: seeds.shift }),
        up: { weight: mul(randn([F, C], { seed: seeds.up }), C ** -0.5) },
        down: { weight: mul(randn([C, F], { seed: seeds.down }), F ** -0.5) },
      };
    },
    apply(params, x, given?: SequenceLayerOptions) {
      const { cache, layer = 0, documents, padding } = onApply.options(given, callNames);
      checkParams(onApply, params, ["shift", "up.weight", "down.weight"]);
      const T = checkTensor("rwkv7ChannelMix.apply", "x", x).shape[1]!;
      const past = { state: cache?.state(layer)?.["shift"], documents, padding };
      const { previous, state } = shiftTokens(x, past);
      cache?.advance(layer, { shift: state }, padding ?? T);
      const { shift, up, down } = params;
      const rows = add(x, mul(sub(previous, x), shift));
      return project(square(relu(project(rows, up.weight, up.bias))), down.weight, down.bias);
    },
  };
}

const callNames = ["cache", "layer", "positions", "documents", "padding"] as const;
const onApply: Checks = /* @__PURE__ */ checks("rwkv7ChannelMix.apply");
