import { checks, ShapeError } from "@qkv/core";
import {
  add,
  checkTensor,
  exp,
  logSumExp,
  maximum,
  mul,
  reshape,
  stack,
  sub,
  type Tensor,
} from "@qkv/tensor";

/** Result of attention over some of the keys: the output and the log-sum-exp. */
export type AttentionPart = {
  /** `[B, H, T, Dv]` */
  readonly output: Tensor;
  /** `[B, H, T]` */
  readonly lse: Tensor;
};

/**
 * Merges attention over parts of the keys into attention over all of them, however the keys were divided. Each partial
 * output is weighted by its share `e^lse` of the sum. Compute the parts without sinks; add a sink once, at the end.
 *
 * @returns The merged output and lse. A part that saw no key (lse −∞) changes nothing.
 * @throws {ShapeError} If parts differ in shape.
 * @see "FlashDecoding" (2023); "FlashInfer" (2025), arXiv:2501.01005, section 2.2
 *
 * @example
 * ```ts
 * import { randn, slice } from "@qkv/tensor";
 * import { attention, mergeAttention, tracedAttention } from "@qkv/attention";
 *
 * const query = randn([1, 2, 1, 8], { seed: 1 }); // [B, H, T, D]
 * const [key, value] = [randn([1, 2, 10, 8], { seed: 2 }), randn([1, 2, 10, 8], { seed: 3 })];
 * const part = (start: number, end: number) =>
 *   tracedAttention(query, slice(key, 2, start, end), slice(value, 2, start, end), {}, ["lse"]);
 * const { output } = mergeAttention([part(0, 3), part(3, 10)]);
 * Math.abs(output.data[0]! - attention(query, key, value).data[0]!) < 1e-6; // => true
 * ```
 */
export function mergeAttention(parts: readonly AttentionPart[]): AttentionPart {
  const check = checks("mergeAttention");
  const fix = 'give what `tracedAttention(…, ["lse"])` returned for each part.';
  check.list({ parts }, "one part or more", undefined, fix);
  const [first] = parts;
  if (!first)
    return check.refuse({ argument: "parts", received: "an empty list", expected: "one part or more", fix });
  parts.forEach((part, i) => {
    const output = checkTensor("mergeAttention", `parts[${i}].output`, part?.output);
    const lse = checkTensor("mergeAttention", `parts[${i}].lse`, part.lse);
    const wanted = { output: first.output.shape, lse: first.output.shape.slice(0, 3) };
    for (const [argument, { shape }] of Object.entries({ output, lse })) {
      const expected = wanted[argument as "output" | "lse"];
      if (shape.length === expected.length && shape.every((length, axis) => length === expected[axis]))
        continue;
      check.refuse(
        {
          argument: `parts[${i}].${argument}`,
          received: shape,
          expected: `[${expected.join(", ")}], as the first output is [${first.output.shape.join(", ")}]`,
          fix: "merge parts of one call: the same queries over other keys.",
        },
        ShapeError,
      );
    }
  });
  const lse = logSumExp(
    stack(
      parts.map((part) => part.lse),
      0,
    ),
    { axis: 0 },
  ); // [B, H, T]
  // −∞ − (−∞) is NaN: if no part saw a key, any finite number may be subtracted instead.
  const finite = maximum(lse, -1e30);
  const shares = parts.map((part) => reshape(exp(sub(part.lse, finite)), [...part.lse.shape, 1]));
  return { output: parts.map((part, i) => mul(part.output, shares[i]!)).reduce((a, b) => add(a, b)), lse };
}
