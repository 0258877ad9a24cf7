import { checks } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import { layerExperts, type MixtureOfExpertsParams } from "@qkv/transformer";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { runWithTrace } from "../run-with-trace.js";

/** The experts that process each token in one layer. */
export type ExpertRouting = {
  /** From 0. */
  readonly layer: number;
  readonly numExperts: number;
  /** `[T, k]` int32: experts of each token, the highest weight first. */
  readonly experts: Tensor;
  /** `[T, k]`: routing weights of their outputs. */
  readonly weights: Tensor;
};

/**
 * The experts that each token of a text is routed to, with their weights, in each layer with a mixture of experts. Shared
 * experts, which process every token, are not listed.
 *
 * @param input - A text, a list of ids, or ids `[1, T]`.
 * @throws {ArgumentError} If no layer has experts.
 * @see "Outrageously Large Neural Networks" (2017), arXiv:1701.06538
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { expertRouting } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [], experts: { numExperts: 4, expertsPerToken: 2 },
 * };
 * const { init, apply } = decoder(config);
 * const routing = expertRouting({ config, params: init(1), apply }, [3, 1, 4]);
 * routing.map(({ layer, experts }) => [layer, ...experts.shape]); // => [[0, 3, 2], [1, 3, 2]]
 * ```
 */
export function expertRouting(model: LensModel, input: TokenInput): ExpertRouting[] {
  checkModel(check, model);
  const { config, params } = model;
  const { ids } = oneText(check, model, input);
  const layers = Array.from({ length: config.numLayers }, (_, layer) => {
    const experts = layerExperts(config, layer);
    return experts ? [{ layer, made: experts }] : [];
  }).flat();
  check.each({ model: "no experts" }, () => layers.length > 0, "a model with a mixture of experts");
  const names = layers.map(({ layer }) => `layers.${layer}.feedForwardInput` as const);
  const { tensors } = runWithTrace(model, ids, { names });
  return layers.map(({ layer, made: experts }) => {
    const feedForwardParams = params.layers[layer]!.feedForward as MixtureOfExpertsParams;
    const { chosen, shares } = experts.route(feedForwardParams, tensors[`layers.${layer}.feedForwardInput`]!);
    return { layer, numExperts: config.experts!.numExperts, experts: chosen, weights: shares };
  });
}

const check = /* @__PURE__ */ checks("expertRouting");
