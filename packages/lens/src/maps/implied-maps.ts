import type { MixerLayer, MixerLayerParams } from "@qkv/attention";
import { checks, knownNames } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import { checkModel, tokenIds, type LensModel, type TokenInput } from "../lens-model.js";
import { runWithTrace } from "../run-with-trace.js";

export type ImpliedMapsOptions = {
  /** Layers, from 0. Default: all layers that imply a map. */
  readonly layers?: readonly number[];
};

/**
 * Implied attention maps of layers without a softmax: linear attention, gated and delta-rule layers, Mamba-2 and other mixers
 * with a linear state, by `impliedWeights` of `@qkv/attention`. Weights may be negative, and rows need not sum to 1. Layers with
 * another state (RWKV-7's time mixing, test-time training, short convolutions) have no implied map and are left out.
 *
 * A layer takes T steps and `H · T · T` numbers: choose `layers` for a model with many heads, such as Mamba, where each channel
 * is a head.
 *
 * @param input - A text, a list of ids, or ids `[B, T]`.
 * @returns Weights `[B, H, T, T]` by name, `layers.0.attention.impliedWeights`; `[B, H, V, T, T]` where a gate is per value channel.
 *   Weights times values are the outputs of the mixer, `layers.0.attention.heads`.
 * @throws {ArgumentError} If no layer implies a map, or one of `layers` implies none.
 * @see "The Hidden Attention of Mamba Models" (2024), arXiv:2403.01590
 *
 * @example
 * ```ts
 * import { gatedDeltaRule, mixerLayer } from "@qkv/attention";
 * import { decoder } from "@qkv/transformer";
 * import { impliedMaps } from "@qkv/lens";
 *
 * const mixer = mixerLayer({ embedDim: 8, numHeads: 2, mixer: gatedDeltaRule() });
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [], layerTypes: [mixer, "full" as const],
 * };
 * const { init, apply } = decoder(config);
 * const maps = impliedMaps({ config, params: init(1), apply }, [3, 1, 4]);
 * maps["layers.0.attention.impliedWeights"]!.shape; // => [1, 2, 3, 3]
 * ```
 */
export function impliedMaps(
  model: LensModel,
  input: TokenInput,
  options?: ImpliedMapsOptions,
): Readonly<Record<string, Tensor>> {
  checkModel(check, model);
  const { config, params } = model;
  const ids = tokenIds(check, model, input);
  const { layers } = check.options(options, ["layers"]);
  const mixers = new Map(
    Array.from({ length: config.numLayers }, (_, i) => [i, linearMixer(model, i)] as const).flatMap(
      ([i, mixer]) => (mixer ? [[i, mixer] as const] : []),
    ),
  );
  const wrong: unknown = [layers].flat().find((i) => !mixers.has(i as number));
  const fix = `choose from ${knownNames(wrong, [...mixers.keys()], "`model.config.layerTypes`")}.`;
  check.each({ model: "no such layer" }, () => mixers.size > 0, "a model with a mixer that implies a map");
  if (layers !== undefined)
    check.list({ layers }, "layers that imply a map", (i) => mixers.has(i as number), fix);
  const chosen = layers ?? [...mixers.keys()];
  const names = chosen.map((i) => `layers.${i}.attentionInput` as const);
  const { tensors } = runWithTrace(model, ids, { names });
  return Object.fromEntries(
    chosen.map((i) => {
      const attentionParams = params.layers[i]!.attention as object;
      const weights = "mixer" in attentionParams ? attentionParams.mixer : attentionParams;
      const x = tensors[`layers.${i}.attentionInput`]!;
      const map = mixers.get(i)!.impliedWeights(weights as MixerLayerParams, x);
      return [`layers.${i}.attention.impliedWeights`, map.weights];
    }),
  );
}

/** The mixer of a layer, alone or parallel to attention, if it implies a map. */
function linearMixer({ config }: LensModel, layer: number): MixerLayer | undefined {
  const type = config.layerTypes?.[layer];
  if (typeof type !== "object") return undefined;
  const mixer = ("mixer" in type ? type.mixer : type) as Partial<MixerLayer>;
  const isLinear = typeof mixer.impliedWeights === "function" && !("ownForm" in mixer.config!.mixer);
  return isLinear ? (mixer as MixerLayer) : undefined;
}

const check = /* @__PURE__ */ checks("impliedMaps");
