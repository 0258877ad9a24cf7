import { argmax, logSumExp, max, reshape, runAll, slice, sub, type Op, type Tensor } from "@qkv/tensor";
import { chooseToken, logProbability, type Sampling } from "./sampling.js";

/** True if sampling uses the unchanged logits: no penalties or biases. */
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
 * The next token and its log-probability before sampling, from the logits `[V]`. The log-probability is NaN if
 * the logits are not valid.
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
 * Samples the next token on a device whose memory the host cannot access directly: two numbers are read instead
 * of the logits of the whole vocabulary.
 *
 * @param logits - `[1, T, V]`
 * @param sampling - Sampling for which {@link leavesLogits} is true.
 * @param uniform - A uniform random number, at least 0 and below 1.
 * @returns Undefined on other devices, and for invalid logits: the host then reads all logits.
 */
export async function deviceToken(
  logits: Tensor,
  sampling: Required<Sampling>,
  uniform: number,
): Promise<{ id: number; logprob: number } | undefined> {
  const { device, shape } = logits;
  const [, T, V] = shape as [number, number, number];
  const greedy = sampling.temperature === 0;
  const requiredOps = greedy ? ["argmax", "max", "logSumExp"] : ["sampleToken"];
  if (!device.remote || !requiredOps.every((op) => op in device.kernels)) return undefined;
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
