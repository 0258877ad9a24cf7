import type { Checks } from "@qkv/core";
import { add, isTensor, linear, mul, slice, tensor, type Tensor } from "@qkv/tensor";
import type { FeedForwardParams } from "@qkv/transformer";
import type { LensModel } from "../lens-model.js";
import type { ResidualPart } from "./residual-part.js";

/** Sums of `up` closer to 0 than this give neurons nothing to divide by. */
const tiny = 1e-9;

/**
 * A feed-forward layer whose neurons are frozen at those of a run: a linear map of parts of its input to parts of its output.
 *
 * Each neuron is its sum, `up x`, times a factor: the activated gate of a gated layer, `act(up x) / (up x)` of a plain one (the
 * identity rule of AttnLRP). The factors are those of the run, so parts of the input become parts of the output; each bias is a part of
 * its own.
 *
 * @param position - The row that is split.
 * @param tensors - Of the run: `feedForwardInput` and `feedForwardHidden` of the layer.
 * @returns The map; undefined for layers that are no such product: experts, time mixing, limits of gates.
 * @see "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers" (2024), arXiv:2402.05602, section 3.3
 */
export function frozenFeedForward(
  check: Checks,
  { config, params }: LensModel,
  tensors: Readonly<Record<string, Tensor>>,
  { layer, position }: { readonly layer: number; readonly position: number },
): ((parts: readonly ResidualPart[]) => ResidualPart[]) | undefined {
  const at = `layers.${layer}`;
  const [input, hidden] = [tensors[`${at}.feedForwardInput`], tensors[`${at}.feedForwardHidden`]];
  if (!input || !hidden || config.gateLimit) return undefined;
  const { up, down } = params.layers[layer]!.feedForward as FeedForwardParams;
  for (const [name, { weight }] of Object.entries({ up, down }))
    check.each(
      { [`params.${name}.weight`]: weight },
      isTensor,
      "a tensor",
      "load the model without `quantize`.",
    );
  const row = (x: Tensor) => slice(x, 1, position, position + 1);
  const sums = linear(row(input), up.weight, up.bias); // [1, 1, F]
  const neurons = row(hidden).data;
  const values = Array.from(sums.data, (sum, i) => (Math.abs(sum) < tiny ? 0 : neurons[i]! / sum));
  const { shape, dtype, device } = sums;
  const factors = tensor(values, { shape, dtype: dtype as "float32", device });
  const written = (raised: Tensor) => linear(mul(raised, factors), down.weight);
  const bias = (name: string, value: Tensor): ResidualPart => ({
    ...{ name: `${at}.${name}.bias`, kind: "bias", layer },
    value,
  });
  return (parts) => [
    ...parts.map((part) => ({ ...part, value: written(linear(part.value, up.weight)) })),
    ...(up.bias ? [bias("up", written(add(mul(sums, 0), up.bias)))] : []),
    ...(down.bias ? [bias("down", add(mul(row(input), 0), down.bias))] : []),
  ];
}
