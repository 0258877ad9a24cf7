import { argmax, logSumExp, max, reshape, slice, sub, type Tensor } from "@qkv/tensor";
import type { Sampling } from "./sampling.js";

/** True if sampling takes the token of the largest logit, as the model gives it. */
export function takesLargest(sampling: Required<Sampling>): boolean {
  const { temperature, logitBias, repetitionPenalty, presencePenalty, frequencyPenalty } = sampling;
  return (
    temperature === 0 &&
    repetitionPenalty === 1 &&
    presencePenalty === 0 &&
    frequencyPenalty === 0 &&
    Object.keys(logitBias).length === 0
  );
}

/**
 * The likeliest token after the last position, found on a device whose numbers the host cannot reach: two numbers are read
 * in place of one for each token of the vocabulary.
 *
 * @param logits - `[1, T, V]`
 * @returns Undefined on other devices, and where the logits are no probabilities: then the host reads them all.
 */
export async function likeliestToken(logits: Tensor): Promise<{ id: number; logprob: number } | undefined> {
  const { device, shape } = logits;
  const [, T, V] = shape as [number, number, number];
  if (!device.remote || !["argmax", "max", "logSumExp"].every((op) => op in device.kernels)) return undefined;
  const [place, logarithm] = device.scope((): [Tensor, Tensor] => {
    const row = reshape(slice(logits, 1, T - 1, T), [V]);
    return [argmax(row), sub(max(row), logSumExp(row))];
  });
  const [[id], [logprob]] = (await Promise.all([place.read(), logarithm.read()])) as [
    Int32Array,
    Float32Array,
  ];
  return Number.isNaN(logprob!) ? undefined : { id: id!, logprob: logprob! };
}
