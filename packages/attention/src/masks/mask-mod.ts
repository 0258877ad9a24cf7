import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

/** True if a query sees a key, told from the positions of both. */
export type MaskRule = (batch: number, head: number, query: number, key: number) => boolean;

export type MaskModOptions = {
  /** For messages. Default: the function's name. */
  name?: string;
  /** True: the rule looks at the batch. `false` asks it once for all batches. Default true. */
  perBatch?: boolean;
  /** True: the rule looks at the head. `false` asks it once for all heads. Default true. */
  perHead?: boolean;
};

/**
 * Any predicate as a mask, with the arguments in FlexAttention's order. It is asked about each pair once, on the host,
 * when a call of new lengths is planned: `B · H · T · S` times, or `T · S` where it looks at neither batch nor head.
 * {@link defineMask} makes a mask that also tells of whole tiles.
 *
 * @param rule - `(batch, head, query, key) => boolean`; positions are absolute, and queries are the last ones.
 * @throws {ArgumentError} If `rule` is not a function; and from the call that asks it, if it answers neither true nor
 *   false.
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
