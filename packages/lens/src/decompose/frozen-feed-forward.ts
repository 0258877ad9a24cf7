import type { Checks } from "@qkv/core";
import { isTensor, linear, mul, reshape, tensor, type Tensor } from "@qkv/tensor";
import type { FeedForwardParams } from "@qkv/transformer";
import type { LensModel } from "../lens-model.js";
import type { PartSource } from "./residual-part.js";
import { linearBackward } from "./stream-gradient.js";

/** Pre-activations of a smaller magnitude count as 0: their ratio would be a division by 0. */
const minPreActivation = 1e-9;

/** Gradient of a scalar through a feed-forward layer. */
export type FrozenFeedForward = {
  /** Gradient with respect to the input of the layer, `[1, C]`. */
  readonly input: Tensor;
  /** Contribution of each bias to the scalar. */
  readonly biases: readonly { readonly source: PartSource; readonly value: number }[];
};

/**
 * Gradient through a feed-forward layer whose nonlinearity is frozen at its values in a run, which makes the layer a linear map.
 *
 * Each neuron is its pre-activation `up x` times a factor: the activated gate in a gated layer, `act(up x) / (up x)` in a plain
 * one (the identity rule of AttnLRP). The factors stay those of the run; each bias is a source.
 *
 * @param rows - Input `[1, 1, C]` and neurons `[1, 1, F]` of the layer in the run, at one position. Undefined if the layer has none.
 * @param gradient - Gradient with respect to the output of the layer, `[1, C]`.
 * @returns Undefined for layers of another form: experts, RWKV's time mixing, clamped gates.
 * @see "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers" (2024), arXiv:2402.05602, section 3.3
 */
export function frozenFeedForward(
  check: Checks,
  { config, params }: LensModel,
  layer: number,
  { input, hidden }: { readonly input: Tensor | undefined; readonly hidden: Tensor | undefined },
  gradient: Tensor,
): FrozenFeedForward | undefined {
  if (!input || !hidden || config.gateLimit) return undefined;
  const { up, down } = params.layers[layer]!.feedForward as FeedForwardParams;
  for (const [name, { weight }] of Object.entries({ up, down }))
    check.each(
      { [`params.${name}.weight`]: weight },
      isTensor,
      "a tensor",
      "load the model without `quantize`.",
    );
  const preActivations = linear(input, up.weight, up.bias).data; // [1, 1, F]
  const activations = hidden.data;
  const ratios = Array.from(preActivations, (sum, i) =>
    Math.abs(sum) < minPreActivation ? 0 : activations[i]! / sum,
  );
  const { dtype, device } = gradient;
  const factors = tensor(ratios, { shape: [1, ratios.length], dtype: dtype as "float32", device });
  const hiddenGradient = mul(linearBackward(gradient, down.weight), factors); // [1, F]
  const biasParts = (name: string, bias: Tensor | undefined, before: Tensor) =>
    bias
      ? [
          {
            source: { name: `layers.${layer}.${name}.bias`, kind: "bias", layer } as const,
            value: Number(linear(before, reshape(bias, [1, bias.shape[0]!])).data[0]),
          },
        ]
      : [];
  return {
    input: linearBackward(hiddenGradient, up.weight),
    biases: [...biasParts("up", up.bias, hiddenGradient), ...biasParts("down", down.bias, gradient)],
  };
}
