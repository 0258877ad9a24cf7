import { checks, ShapeError } from "@qkv/core";
import { cumsum, type Tensor } from "@qkv/tensor";
import { lookup, type ScoreMod } from "@qkv/attention-contract";
import { scoreMod } from "../score-mod.js";
import { checkTable } from "./check-table.js";

/**
 * Forgetting attention (FoX): every position has a forget gate f between 0 and 1, computed from its token. The logarithms of the gates
 * between key and query are added to a score: `Σ ln f_l` over the positions after the key up to the query. A constant gate equals ALiBi
 * with the slope `−ln f`; gates of 1 change nothing.
 *
 * Costs one subtraction per score; decoding needs one more cached number per token and head.
 *
 * @param logGates - `ln f`, at most 0, `[B, H, S]`, of every position from the first on: usually `−softplus(−(x W + b))`.
 *   Gradients flow to it.
 * @returns A bias for {@link attention}, for causal masks.
 * @throws {ShapeError} If it is not `[B, H, S]`; the call refuses other numbers of batches, heads or positions.
 * @see "Forgetting Transformer: Softmax Attention with a Forget Gate" (2025), arXiv:2503.02130
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { attentionWeights, causal, forgetting } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 2, 4]); // [B, H, T, D]: all keys match equally
 * const bias = forgetting(tensor([[[0, Math.log(1 / 3)]]])); // the second token forgets two thirds
 * attentionWeights(x, x, { mask: causal(), bias }).toNested(); // => [[[[1, 0], [0.25, 0.75]]]]
 * ```
 */
export function forgetting(logGates: Tensor): ScoreMod {
  const shape = checkTable("forgetting", "logGates", logGates);
  if (shape.length !== 3 || shape.includes(0)) {
    const fix = "give the logarithm of a gate for each position of each query head.";
    checks("forgetting").refuse(
      { argument: "logGates", received: shape, expected: "[B, H, S]", fix },
      ShapeError,
    );
  }
  const [batchSize, numHeads, keyLength] = shape as [number, number, number];
  const total = cumsum(logGates, 2);
  const upTo = (position: Parameters<typeof lookup>[1], at: Parameters<ScoreMod["apply"]>[1]) =>
    lookup(total, at.batch, at.head, position);
  const bias = scoreMod(
    (score, at) => score.add(upTo(at.query, at).sub(upTo(at.key, at))),
    `forgetting([${shape.join(", ")}])`,
    numHeads,
  );
  return { ...bias, batchSize, keyLength };
}
