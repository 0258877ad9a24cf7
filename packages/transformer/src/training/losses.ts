import { checks, type Checks } from "@qkv/core";
import { crossEntropy, randint, type Tensor } from "@qkv/tensor";
import { checkKind } from "../models/check-model.js";
import type { Batch } from "./batch.js";
import { checkBatch, targetCount, type BatchLoss } from "./batch-loss.js";

/** The part of a model that losses use: logits of token ids, also of packed rows. */
export type TokenModel<P> = {
  apply(
    params: P,
    ids: Tensor,
    options?: Pick<Batch, "documents" | "positions"> & { dropoutSeed?: number },
  ): Tensor;
};

/**
 * Mean cross-entropy of the targets of a batch. Unit: nats per token.
 *
 * @param options - `dropoutSeed`: an integer, from which each batch of a run derives its seed, so that a resumed run drops the
 *   same elements. Default 0. A call without the number of a batch is evaluation, which drops nothing.
 * @returns `(params, batch, number) => loss`, for `train`; its `count` is the number of targets of a batch.
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { nextTokenBatches, tokenLoss } from "@qkv/transformer/training";
 *
 * const batch = nextTokenBatches([0, 1, 0, 1], { batchSize: 1, contextLength: 3, seed: 1 })(0);
 * const uniform = { apply: () => zeros([1, 3, 2]) }; // two tokens, equally likely
 * (tokenLoss(uniform)({}, batch).data[0]! / Math.LN2).toFixed(3); // => "1.000"
 * ```
 */
export function tokenLoss<P>(model: TokenModel<P>, options?: { dropoutSeed?: number }): BatchLoss<P> {
  const check: Checks = checks("tokenLoss");
  checkTokenModel(check, model);
  const { dropoutSeed = 0 } = check.options(options, ["dropoutSeed"]);
  check.whole({ dropoutSeed });
  const loss = (params: P, batch: Batch, number?: number): Tensor => {
    checkBatch(check, batch);
    return crossEntropy(batchLogits(model, params, batch, batchSeed(dropoutSeed, number)), batch.targets);
  };
  return Object.assign(loss, { count: targetCount(check) });
}

/** Refuses a value without `apply`, such as params. */
export function checkTokenModel(check: Checks, model: unknown): void {
  // A function has an `apply`, too.
  const isModel = (value: unknown) =>
    typeof value === "object" && typeof (value as TokenModel<unknown> | null)?.apply === "function";
  check.each({ model }, isModel, "a model, with apply", `write \`${check.fn}(decoder(config))\`.`);
  checkKind(check, model as object, ["decoder", "encoder-decoder"]);
}

/** Logits of a batch, `[B, T, V]`. In packed rows, tokens only attend to their own document. */
export function batchLogits<P>(
  model: TokenModel<P>,
  params: P,
  { ids, documents, positions }: Omit<Batch, "targets">,
  dropoutSeed?: number,
): Tensor {
  if (documents === undefined && positions === undefined && dropoutSeed === undefined)
    return model.apply(params, ids);
  return model.apply(params, ids, {
    ...(documents && { documents }),
    ...(positions && { positions }),
    ...(dropoutSeed !== undefined && { dropoutSeed }),
  });
}

/** The dropout seed of a batch in a run, below 2³¹. Seeds of layers are derived from it. A batch without a number has none. */
export const batchSeed = (seed: number, number: number | undefined): number | undefined =>
  number === undefined ? undefined : randint([1], { seed, first: number, high: 2 ** 31 }).data[0];

/**
 * Mean loss over chunks of a text, each without earlier context. Every run uses the same chunks.
 *
 * @param loss - Its `count` weights the batches. Default: the number of targets.
 * @param batches - From `textBatches`.
 * @returns Nats per token.
 */
export async function meanLoss<P>(loss: BatchLoss<P>, params: P, batches: Iterable<Batch>): Promise<number> {
  const check: Checks = checks("meanLoss");
  check.type({ loss }, "function", "write `tokenLoss(model)`.");
  const isIterable = (value: unknown) =>
    typeof (value as Iterable<unknown> | undefined | null)?.[Symbol.iterator] === "function";
  check.each({ batches }, isIterable, "batches one after the other", "write `textBatches(ids, { … })`.");
  let [total, terms] = [0, 0];
  for (const batch of batches) {
    const count = (loss.count ?? targetCount(check))(batch);
    if (count === 0) continue;
    total += (await loss(params, batch).read())[0]! * count;
    terms += count;
  }
  const fix = "give batches with targets; a stream that was read to its end has none left.";
  check.each({ batches: terms }, (count) => count !== 0, "one target or more", fix);
  return total / terms;
}
