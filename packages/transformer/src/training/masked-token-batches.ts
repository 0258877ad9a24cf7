import { checks } from "@qkv/core";
import { tensor, uniform } from "@qkv/tensor";
import type { BatchAt } from "./batch.js";
import { batchNames, checkText, windowStarts, type BatchOptions } from "./next-token-batches.js";

/** Options of masked-token batches. */
export type MaskedTokenOptions = BatchOptions & {
  /** The id of the mask token. */
  maskId: number;
  /** V. Some targets are replaced by a random token below it. */
  vocabSize: number;
  /** Probability that a token is a target. Default 0.15. */
  maskProbability?: number;
};

/**
 * Creates batches for masked language modeling, as in BERT: of the target tokens, 80 % are replaced by `maskId`, 10 % by a
 * random token, and 10 % stay unchanged.
 *
 * @param ids - The text as token ids; `contextLength` of them, or more.
 * @throws {ArgumentError} If the text is shorter than one chunk, or the rate is not between 0 and 1.
 * @see "BERT" (2018), arXiv:1810.04805, section 3.1
 *
 * @example
 * ```ts
 * import { maskedTokenBatches } from "@qkv/transformer/training";
 *
 * const options = { batchSize: 1, contextLength: 4, seed: 1, maskId: 0, vocabSize: 10, maskProbability: 1 };
 * maskedTokenBatches([5, 6, 7, 8], options)(0).targets.toNested(); // => [[5, 6, 7, 8]]
 * ```
 */
export function maskedTokenBatches(ids: ArrayLike<number>, options: MaskedTokenOptions): BatchAt {
  const check = checks("maskedTokenBatches");
  const names = [...batchNames, "seed", "maskId", "vocabSize", "maskProbability"] as const;
  const {
    batchSize: B,
    contextLength: T,
    seed,
    device,
    maskId,
    vocabSize,
    maskProbability = 0.15,
  } = check.options(options, names);
  check.whole({ batchSize: B, contextLength: T, vocabSize }, { min: 1 });
  check.whole({ seed });
  check.whole({ maskId }, { min: 0, below: vocabSize });
  const isProbability = (value: unknown) => typeof value === "number" && value > 0 && value <= 1;
  check.each(
    { maskProbability },
    isProbability,
    "a share above 0, at most 1",
    "BERT asks for 0.15 of all tokens.",
  );
  const text = checkText(check, ids, T);
  const idTensor = (rows: Int32Array) =>
    tensor(rows, { shape: [B, T], dtype: "int32", ...(device && { device }) });
  return (step) => {
    check.whole({ step }, { min: 0 });
    const [inputs, targets] = [new Int32Array(B * T), new Int32Array(B * T).fill(-100)];
    windowStarts(text.length - T + 1, { batchSize: B, seed }, step).forEach((start, b) => {
      inputs.set(text.subarray(start, start + T), b * T);
    });
    // Three uniform numbers per token choose targets, kinds of replacement and random tokens.
    const draws = uniform([B * T, 3], { seed: seed + 1, first: step * B * T * 3, dtype: "float64" }).data;
    for (let n = 0; n < B * T; n++) {
      const [targetDraw, replacementDraw, tokenDraw] = draws.subarray(n * 3, n * 3 + 3) as unknown as [
        number,
        number,
        number,
      ];
      if (targetDraw >= maskProbability) continue;
      targets[n] = inputs[n]!;
      if (replacementDraw < 0.8) inputs[n] = maskId;
      else if (replacementDraw < 0.9) inputs[n] = Math.floor(tokenDraw * vocabSize);
    }
    return { ids: idTensor(inputs), targets: idTensor(targets) };
  };
}
