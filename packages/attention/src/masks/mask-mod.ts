import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

/** A predicate: true if the query sees the key. Query and key are absolute positions. */
export type MaskRule = (batch: number, head: number, query: number, key: number) => boolean;

export type MaskModOptions = {
  /** Name for error messages. Default: the name of the function. */
  name?: string;
  /** True if the rule depends on the batch index. With `false` it is called only for batch index 0. Default true. */
  perBatch?: boolean;
  /** True if the rule depends on the head. With `false` it is called only for head 0. Default true. */
  perHead?: boolean;
};

/**
 * Makes a mask from a predicate, whose arguments are in FlexAttention's order. It is evaluated on the host, once per pair, when a
 * call has new lengths: `B · H · T · S` times, or `T · S` times if it depends on neither batch nor head. {@link defineMask} makes
 * masks that also classify whole tiles, which is faster.
 *
 * @param rule - `(batch, head, query, key) => boolean`; positions are absolute, and queries are the last ones.
 * @throws {ArgumentError} If `rule` is not a function; and from the call that evaluates it, if it returns neither true nor false.
 * @see "Flex Attention" (2024), arXiv:2412.05496
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, maskMod } from "@qkv/attention";
 *
 * const x = zeros([1, 2, 2, 4]); // [B, H, T, D]: all keys match equally
 * const secondHeadLooksBack = maskMod((_batch, head, query, key) => head === 0 || key < query);
 * [...attentionWeights(x, x, { mask: secondHeadLooksBack }).data]; // => [0.5, 0.5, 0.5, 0.5, 0, 0, 1, 0]
 * ```
 */
export function maskMod(rule: MaskRule, options?: MaskModOptions): Mask {
  const check = checks("maskMod");
  check.type({ rule }, "function", "write `maskMod((batch, head, query, key) => key <= query)`.");
  const { name, perBatch = true, perHead = true } = check.options(options, ["name", "perBatch", "perHead"]);
  check.type({ perBatch, perHead }, "boolean");
  return defineMask({
    name: name ?? (rule.name === "" ? "maskMod(…)" : rule.name),
    perBatch,
    perHead,
    sees(query, key, batch, head) {
      const seen = rule(batch, head, query, key);
      if (seen === true || seen === false) return seen;
      return check.refuse({
        argument: "rule",
        received: seen,
        expected: "a function that returns true or false",
        fix: "return a boolean in each branch, `key <= query` for one; numbers that are added to scores are a `bias`.",
      });
    },
  });
}
