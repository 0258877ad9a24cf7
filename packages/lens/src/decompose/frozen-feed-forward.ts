import type { Checks } from "@qkv/core";
import { isTensor, linear, mul, reshape, tensor, type Tensor } from "@qkv/tensor";
import type { FeedForwardParams } from "@qkv/transformer";
import type { LensModel } from "../lens-model.js";
import type { PartSource } from "./residual-part.js";
import { timesMap } from "./stream-gradient.js";

/** Sums of `up` closer to 0 than this give neurons nothing to divide by. */
const tiny = 1e-9;

/** A feed-forward layer read backward. */
export type FrozenFeedForward = {
  /** The gradient with respect to the row that the layer reads, `[1, C]`. */
  readonly input: Tensor;
  /** The part that each bias adds to the number that the gradient is of. */
  readonly biases: readonly { readonly source: PartSource; readonly value: number }[];
};

/**
 * The gradient through a feed-forward layer whose neurons are frozen at those of a run, which makes it a linear map.
 *
 * Each neuron is its sum, `up x`, times a factor: the activated gate of a gated layer, `act(up x) / (up x)` of a plain one (the
 * identity rule of AttnLRP). The factors are those of the run; each bias is a source of its own.
 *
 * @param rows - Of the run, at one position: what the layer reads `[1, 1, C]`, and its neurons `[1, 1, F]`. Undefined where it has none.
 * @param gradient - With respect to the output of the layer, `[1, C]`.
 * @returns Undefined for layers that are no such product: experts, time mixing, limits of gates.
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
  const sums = linear(input, up.weight, up.bias).data; // [1, 1, F]
  const neurons = hidden.data;
  const values = Array.from(sums, (sum, i) => (Math.abs(sum) < tiny ? 0 : neurons[i]! / sum));
  const { dtype, device } = gradient;
  const factors = tensor(values, { shape: [1, values.length], dtype: dtype as "float32", device });
  const raised = mul(timesMap(gradient, down.weight), factors); // [1, F]
  const biasOf = (name: string, bias: Tensor | undefined, before: Tensor) =>
    bias
      ? [
          {
            source: { name: `layers.${layer}.${name}.bias`, kind: "bias", layer } as const,
            value: Number(linear(before, reshape(bias, [1, bias.shape[0]!])).data[0]),
          },
        ]
      : [];
  return {
    input: timesMap(raised, up.weight),
    biases: [...biasOf("up", up.bias, raised), ...biasOf("down", down.bias, gradient)],
  };
}
