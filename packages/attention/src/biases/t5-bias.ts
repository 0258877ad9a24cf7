import { checks, ShapeError } from "@qkv/core";
import { tensor, type Tensor } from "@qkv/tensor";
import { lookup, type ScoreMod } from "@qkv/attention-contract";
import { scoreMod } from "../score-mod.js";
import { checkTable } from "./check-table.js";

export type T5BiasOptions = {
  /** True: keys after the query have buckets of their own (encoders); false: share the first (decoders). Default true. */
  bidirectional?: boolean;
  /** The distance from which on all keys share the last bucket. Unit: tokens. Default 128. */
  maxDistance?: number;
};

/**
 * T5's relative position bias: a learned number for each head and each bucket of distances, with narrow buckets near
 * the query and wide ones far away. It encodes positions by itself, and layers share one table.
 *
 * T5 does not divide by √D: call attention with `scale: 1` for its checkpoints.
 *
 * @param table - `[numBuckets, H]`, to which gradients flow: `relative_attention_bias.weight`, usually `[32, H]`.
 * @returns A bias for {@link attention}.
 * @throws {ShapeError} If the table does not have two axes, or too few or an odd number of buckets.
 * @throws {ArgumentError} If `maxDistance` lies within the exact buckets.
 * @see "Exploring the Limits of Transfer Learning" (2019), arXiv:1910.10683, section 2.1
 *
 * @example
 * ```ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { t5Bias, tracedAttention } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 3, 4]); // [B, H, T, D]: all keys match equally
 * const table = tensor([[0], [1], [2], [3]]); // [numBuckets, H]: itself, before, (unused), after
 * const { scores } = tracedAttention(x, x, x, { bias: t5Bias(table, { maxDistance: 2 }) }, ["scores"]);
 * scores.toNested(); // => [[[[0, 3, 3], [1, 0, 3], [1, 1, 0]]]]
 * ```
 */
export function t5Bias(table: Tensor, options?: T5BiasOptions): ScoreMod {
  const check = checks("t5Bias");
  const { bidirectional = true, maxDistance = 128 } = check.options(options, [
    "bidirectional",
    "maxDistance",
  ]);
  check.type({ bidirectional }, "boolean");
  const shape = checkTable("t5Bias", "table", table);
  const { dtype, device } = table;
  const [numBuckets, numHeads] = shape as [number, number];
  const [least, even] = bidirectional ? [4, numBuckets % 2 === 0] : [2, true];
  if (shape.length !== 2 || numHeads === 0 || numBuckets < least || !even) {
    check.refuse(
      {
        argument: "table",
        received: shape,
        expected: `[numBuckets, H], with ${bidirectional ? "an even number of at least 4" : "2 or more"} buckets`,
        fix: "give a number for each bucket and head: the checkpoint's `relative_attention_bias.weight`.",
      },
      ShapeError,
    );
  }
  const exact = Math.floor((bidirectional ? numBuckets / 2 : numBuckets) / 2);
  check.each(
    { maxDistance },
    () => Number.isInteger(maxDistance) && maxDistance > exact && maxDistance < 2 ** 24,
    `an integer number of tokens above ${exact}, the number of distances with a bucket of their own`,
    "leave it out for 128, or take the configuration's `relative_attention_max_distance`.",
  );
  // The bucket of each distance from −maxDistance to maxDistance; beyond, lookups stay at the ends.
  const buckets = tensor(
    Array.from({ length: 2 * maxDistance + 1 }, (_, i) =>
      t5Bucket(i - maxDistance, { bidirectional, numBuckets, maxDistance }),
    ),
    { dtype, device },
  );
  return scoreMod(
    (score, at) => score.add(lookup(table, lookup(buckets, at.key.sub(at.query).add(maxDistance)), at.head)),
    `t5Bias([${shape.join(", ")}], { bidirectional: ${bidirectional}, maxDistance: ${maxDistance} })`,
    numHeads,
  );
}

/** The bucket of a relative position, key minus query. */
export function t5Bucket(
  relative: number,
  { bidirectional, numBuckets, maxDistance }: Required<T5BiasOptions> & { numBuckets: number },
): number {
  const buckets = bidirectional ? numBuckets / 2 : numBuckets;
  const after = bidirectional && relative > 0 ? buckets : 0;
  const distance = bidirectional ? Math.abs(relative) : Math.max(-relative, 0);
  const exact = Math.floor(buckets / 2);
  if (distance < exact) return after + distance;
  const share = Math.log(distance / exact) / Math.log(maxDistance / exact);
  return after + Math.min(exact + Math.floor(share * (buckets - exact)), buckets - 1);
}
