import { argmax, logSumExp, max, reshape, runAll, slice, sub, type Op, type Tensor } from "@qkv/tensor";
import { chooseToken, logProbability, type Sampling } from "./sampling.js";

/** True if sampling takes logits as the model gives them: what was generated before changes none. */
export function leavesLogits(sampling: Required<Sampling>): boolean {
  const { logitBias, repetitionPenalty, presencePenalty, frequencyPenalty } = sampling;
  return (
    repetitionPenalty === 1 &&
    presencePenalty === 0 &&
    frequencyPenalty === 0 &&
    Object.keys(logitBias).length === 0
  );
}

/**
 * The next token and the logarithm of its probability before sampling, from the logits `[V]`. A kernel gives NaN as the
 * logarithm where the logits are no probabilities.
 */
export const sampleTokenOp: Op<Required<Sampling> & { uniform: number }> = {
  name: "sampleToken",
  infer: ([logits]) => [
    { shape: [], dtype: "int32" },
    { shape: [], dtype: logits!.dtype },
  ],
  kernel([logits], [id, logprob], { uniform, ...sampling }) {
    const { array, shape, strides, offset } = logits!;
    const row = Float64Array.from({ length: shape[0]! }, (_, v) => array[offset + v * strides[0]!]!);
    const token = chooseToken(row, sampling, uniform);
    id!.array[0] = token;
    logprob!.array[0] = logProbability(row, token);
  },
};

/**
 * The token after the last position, found on a device whose numbers the host cannot reach: two numbers are read in place
 * of one for each token of the vocabulary.
 *
 * @param logits - `[1, T, V]`
 * @param sampling - One that {@link leavesLogits}.
 * @param uniform - A uniform random number, at least 0 and below 1.
 * @returns Undefined on other devices, and where the logits are no probabilities: then the host reads them all.
 */
export async function deviceToken(
  logits: Tensor,
  sampling: Required<Sampling>,
  uniform: number,
): Promise<{ id: number; logprob: number } | undefined> {
  const { device, shape } = logits;
  const [, T, V] = shape as [number, number, number];
  const greedy = sampling.temperature === 0;
  const needed = greedy ? ["argmax", "max", "logSumExp"] : ["sampleToken"];
  if (!device.remote || !needed.every((op) => op in device.kernels)) return undefined;
  const [token, logarithm] = device.scope((): [Tensor, Tensor] => {
    const row = reshape(slice(logits, 1, T - 1, T), [V]);
    if (greedy) return [argmax(row), sub(max(row), logSumExp(row))];
    return runAll(sampleTokenOp, [row], { ...sampling, uniform }) as [Tensor, Tensor];
  });
  const [[id], [logprob]] = (await Promise.all([token.read(), logarithm.read()])) as [
    Int32Array,
    Float32Array,
  ];
  return Number.isNaN(logprob!) ? undefined : { id: id!, logprob: logprob! };
}
