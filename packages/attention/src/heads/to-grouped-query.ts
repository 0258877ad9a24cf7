import { checks } from "@qkv/core";
import { checkTensor, mean, reshape, type Tensor } from "@qkv/tensor";
import { checkParams } from "./attend-heads.js";
import type { AttentionParams, LinearParams } from "./grouped-query.js";

/**
 * Converts the weights of a multi-head layer into those of a grouped-query layer: each new key-value head is the mean
 * of the `numHeads / numKvHeads` adjacent heads that it replaces. The query and output weights stay the same.
 *
 * The result is a starting point for further training (uptraining). It equals the original layer only if the merged heads were
 * equal. The input may also be a grouped-query layer, whose heads are then merged further.
 *
 * @param config - `numHeads`: number of query heads of the layer. `numKvHeads`: number of key-value heads of the result, a divisor of
 *   the current one.
 * @throws {ArgumentError} If they do not divide.
 * @see "GQA: Training Generalized Multi-Query Transformer Models" (2023), arXiv:2305.13245, section 2.1
 *
 * @example
 * ```ts
 * import { multiHead, toGroupedQuery } from "@qkv/attention";
 *
 * const params = multiHead({ embedDim: 8, numHeads: 4 }).init(1);
 * toGroupedQuery(params, { numHeads: 4, numKvHeads: 2 }).key.weight.shape; // => [4, 8]
 * ```
 */
export function toGroupedQuery(
  params: AttentionParams,
  sizes: { numHeads: number; numKvHeads: number },
): AttentionParams {
  const check = checks("toGroupedQuery");
  const { numHeads, numKvHeads } = check.options(sizes, ["numHeads", "numKvHeads"], "sizes");
  check.whole({ numHeads, numKvHeads }, { min: 1, unit: "heads", fix: "give the sizes of the layer." });
  checkParams("toGroupedQuery", params, ["query", "key", "value"]);
  const rowsOf = (name: "query" | "key") =>
    checkTensor("toGroupedQuery", `params.${name}.weight`, params[name].weight).shape[0]!;
  const D = rowsOf("query") / numHeads;
  const before = rowsOf("key") / D;
  const group = before / numKvHeads;
  const divides = Number.isInteger(D) && Number.isInteger(before);
  if (!divides || !(numKvHeads >= 1) || !Number.isInteger(group)) {
    check.refuse({
      argument: divides ? "numKvHeads" : "numHeads",
      received: divides ? numKvHeads : numHeads,
      expected: divides
        ? `a divisor of the ${before} key-value heads that the layer has`
        : `the number of query heads, of which the layer has ${params.query.weight.shape[0]!} rows`,
      fix: divides ? "join as many neighbours in every group." : "give the numHeads of the layer.",
    });
  }
  const joined = (x: Tensor): Tensor => {
    const [, ...columns] = x.shape;
    const heads = reshape(x, [numKvHeads, group, D, ...columns]);
    return reshape(mean(heads, { axis: 1 }), [numKvHeads * D, ...columns]);
  };
  const pooled = ({ weight, bias }: LinearParams): LinearParams => ({
    weight: joined(weight),
    ...(bias && { bias: joined(bias) }),
  });
  return { ...params, key: pooled(params.key), value: pooled(params.value) };
}
