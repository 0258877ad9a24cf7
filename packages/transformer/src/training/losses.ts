import { checks, type Checks } from "@qkv/core";
import { crossEntropy, type Tensor } from "@qkv/tensor";
import type { Batch } from "./batch.js";

/** The part of a model that is used: logits for token ids, and the rows of a batch that are packed. */
export type TokenModel<P> = {
  apply(params: P, ids: Tensor, options?: Pick<Batch, "documents" | "positions">): Tensor;
};

/**
 * Cross-entropy of the targets of a batch: the mean, in nats per token.
 *
 * @returns `(params, batch) => loss`, for `train`.
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { nextTokenBatches, tokenLoss } from "@qkv/transformer/training";
 *
 * const batch = nextTokenBatches([0, 1, 0, 1], { batchSize: 1, contextLength: 3, seed: 1 })(0);
 * const unsure = { apply: () => zeros([1, 3, 2]) }; // two tokens, as likely
 * (tokenLoss(unsure)({}, batch).data[0]! / Math.LN2).toFixed(3); // => "1.000"
 * ```
 */
export function tokenLoss<P>(model: TokenModel<P>) {
  checkTokenModel(checks("tokenLoss"), model);
  return (params: P, batch: Batch): Tensor => crossEntropy(batchLogits(model, params, batch), batch.targets);
}

/** Refuses what has no `apply`, such as params. */
export function checkTokenModel(check: Checks, model: unknown): void {
  const isModel = (value: unknown) =>
    typeof (value as TokenModel<unknown> | undefined | null)?.apply === "function";
  check.each({ model }, isModel, "a model, with apply", `write \`${check.fn}(decoder(config))\`.`);
}

/** Logits of a batch, `[B, T, V]`. Tokens of a packed row see those of their own document. */
export function batchLogits<P>(
  model: TokenModel<P>,
  params: P,
  { ids, documents, positions }: Omit<Batch, "targets">,
): Tensor {
  if (documents === undefined && positions === undefined) return model.apply(params, ids);
  return model.apply(params, ids, { ...(documents && { documents }), ...(positions && { positions }) });
}

/**
 * Mean loss over chunks of a text, each without earlier context. Every run uses the same chunks.
 *
 * @param batches - As `nextTokenBatches` gives them.
 * @returns Nats per token.
 */
export async function meanLoss<P>(
  loss: (params: P, batch: Batch) => Tensor,
  params: P,
  batches: Iterable<Batch>,
): Promise<number> {
  const check = checks("meanLoss");
  check.type({ loss }, "function", "write `tokenLoss(model)`.");
  const isIterable = (value: unknown) =>
    typeof (value as Iterable<unknown> | undefined | null)?.[Symbol.iterator] === "function";
  check.each({ batches }, isIterable, "batches one after the other", "write `textBatches(ids, { … })`.");
  let [total, tokens] = [0, 0];
  for (const batch of batches) {
    const count = batch.targets.data.filter((target) => target >= 0).length;
    total += (await loss(params, batch).read())[0]! * count;
    tokens += count;
  }
  return total / tokens;
}
