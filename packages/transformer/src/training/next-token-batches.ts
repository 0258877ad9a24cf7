import { checks, type Checks } from "@qkv/core";
import { tensor, uniform, type Device } from "@qkv/tensor";
import type { BatchAt } from "./batch.js";

/** Options for drawing chunks of a text. */
export type BatchOptions = {
  /** B */
  batchSize: number;
  /** T, tokens per chunk. */
  contextLength: number;
  /** Integer; another seed draws other chunks. */
  seed: number;
  /** Device of the tensors. Default: the plain JavaScript device. */
  device?: Device;
};

/**
 * Creates batches for next-token prediction: chunks of a text at random offsets, with the following tokens as
 * targets.
 *
 * @param ids - The text as token ids; `contextLength + 1` of them, or more.
 * @throws {ArgumentError} If the text is shorter than one chunk.
 *
 * @example
 * ```ts
 * import { nextTokenBatches } from "@qkv/transformer/training";
 *
 * const batchAt = nextTokenBatches([5, 6, 7, 8, 9], { batchSize: 1, contextLength: 4, seed: 1 });
 * const { ids, targets } = batchAt(0);
 * [ids.toNested(), targets.toNested()]; // => [[[5, 6, 7, 8]], [[6, 7, 8, 9]]]
 * ```
 */
export function nextTokenBatches(ids: ArrayLike<number>, options: BatchOptions): BatchAt {
  const check = checks("nextTokenBatches");
  const { batchSize: B, contextLength: T, seed, device } = check.options(options, [...batchNames, "seed"]);
  check.whole({ batchSize: B, contextLength: T }, { min: 1 });
  check.whole({ seed });
  const text = checkText(check, ids, T + 1);
  const idTensor = (rows: Int32Array) =>
    tensor(rows, { shape: [B, T], dtype: "int32", ...(device && { device }) });
  return (step) => {
    check.whole({ step }, { min: 0 });
    const starts = windowStarts(text.length - T, { batchSize: B, seed }, step);
    const [inputs, targets] = [new Int32Array(B * T), new Int32Array(B * T)];
    starts.forEach((start, b) => {
      inputs.set(text.subarray(start, start + T), b * T);
      targets.set(text.subarray(start + 1, start + 1 + T), b * T);
    });
    return { ids: idTensor(inputs), targets: idTensor(targets) };
  };
}

/** Random start offsets of the chunks of a step, from 0 to `numStarts - 1`. */
export function windowStarts(
  numStarts: number,
  { batchSize, seed }: Pick<BatchOptions, "batchSize" | "seed">,
  step: number,
): number[] {
  const { data } = uniform([batchSize], { seed, first: step * batchSize, dtype: "float64" });
  return Array.from(data, (u) => Math.floor(u * numStarts));
}

/** A text as int32; refuses fewer than `minLength` tokens. */
export function checkText(check: Checks, ids: ArrayLike<number>, minLength: number): Int32Array {
  const isList = (value: unknown) => Array.isArray(value) || ArrayBuffer.isView(value);
  check.each({ ids }, isList, "a list of token ids", "encode the text with a tokenizer.");
  if (ids.length < minLength) {
    check.refuse({
      argument: "ids",
      received: `${ids.length} tokens`,
      expected: `${minLength} tokens or more, for one chunk`,
      fix: "give a longer text, or a smaller contextLength.",
    });
  }
  if (ids instanceof Int32Array) return ids;
  const converted = Int32Array.from(ids);
  const invalid = converted.findIndex((id, i) => id !== ids[i]);
  if (invalid >= 0) check.whole({ [`ids[${invalid}]`]: ids[invalid] }, { min: 0, below: 2 ** 31 });
  return converted;
}

/** Names of the options of all text batches. */
export const batchNames = ["batchSize", "contextLength", "device"] as const;
