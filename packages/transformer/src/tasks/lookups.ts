import { checks } from "@qkv/core";
import { tensor, uniform, type Device, type Tensor } from "@qkv/tensor";

/** Options of the lookup task. */
export type LookupOptions = {
  /** Distance back from a position to each of its targets, modulo the sequence length. `[1]`: one
   * target per position, `[1, 2]`: two. */
  offsets: readonly number[];
  /** Adds the letter at the first position as a last target. Default false. */
  first?: boolean;
  /** V, the number of letters. Default 8. */
  vocabSize?: number;
  /** T, the sequence length. Default 8. */
  contextLength?: number;
  /** B. Default 16. */
  batchSize?: number;
  /** Integer; another seed draws other letters. */
  seed: number;
  /** Device of the tensors. Default: the plain JavaScript device. */
  device?: Device;
};

/** Sequences and their targets. */
export type LookupBatch = {
  /** The letter at each position, `[B, T]` int32. */
  readonly ids: Tensor;
  /** One-hot letter and one-hot position, `[B, T, V + T]`, scaled to mean square 1. */
  readonly rows: Tensor;
  /** One-hot letters of the K targets, `[B, T, K · V]`, standardized to mean 0 and
   * variance 1: predicting 0 everywhere has mean squared error 1. */
  readonly targets: Tensor;
};

/**
 * The smallest task that needs attention: random letters, where the target of each position is the letter a given number of
 * positions before. Letters are independent, so that the answer has to be looked up.
 *
 * @returns The batch of a step. The same step gives the same batch.
 * @throws {ArgumentError} If there are no targets, or a target is outside the sequence.
 *
 * @example
 * ```ts
 * import { lookupBatches } from "@qkv/transformer/tasks";
 *
 * const { rows, targets } = lookupBatches({ offsets: [1, 2], batchSize: 4, seed: 1 })(0);
 * [rows.shape, targets.shape]; // => [[4, 8, 16], [4, 8, 16]]
 * ```
 */
export function lookupBatches(options: LookupOptions): (step: number) => LookupBatch {
  const check = checks("lookupBatches");
  const names = ["offsets", "first", "vocabSize", "contextLength", "batchSize", "seed", "device"] as const;
  const {
    offsets,
    vocabSize: V = 8,
    contextLength: T = 8,
    batchSize: B = 16,
    seed,
    device,
  } = check.options(options, names);
  check.whole({ vocabSize: V, contextLength: T, batchSize: B }, { min: 1 });
  check.whole({ seed });
  check.each({ offsets }, Array.isArray, "a list of places back");
  const wrong = offsets.find((offset) => !Number.isInteger(offset) || offset < 0 || offset >= T);
  if (offsets.length === 0 || wrong !== undefined) {
    const expected = `integers from 0 to ${T - 1}`;
    const fix = "count places back: 1 is the place before.";
    check.refuse({ argument: "offsets", received: offsets, expected, fix });
  }
  /** From a position to the position of its k-th target. */
  const targetPositions = [
    ...offsets.map((offset) => (position: number) => (position - offset + T) % T),
    ...(options.first ? [() => 0] : []),
  ];
  const rowTensor = (data: Float32Array, width: number) =>
    tensor(data, { shape: [B, T, width], ...(device && { device }) });
  const oneHotValue = Math.sqrt((V + T) / 2);
  const deviation = Math.sqrt((1 / V) * (1 - 1 / V));
  return (step) => {
    const { data } = uniform([B * T], { seed, first: step * B * T, dtype: "float64" });
    const letters = Int32Array.from(data, (u) => Math.floor(u * V));
    const rows = new Float32Array(B * T * (V + T));
    const targets = new Float32Array(B * T * targetPositions.length * V).fill(-1 / V / deviation);
    for (let n = 0; n < B * T; n++) {
      const [first, position] = [n - (n % T), n % T];
      rows[n * (V + T) + letters[n]!] = oneHotValue;
      rows[n * (V + T) + V + position] = oneHotValue;
      targetPositions.forEach((targetPosition, k) => {
        const letter = letters[first + targetPosition(position)]!;
        targets[(n * targetPositions.length + k) * V + letter] = (1 - 1 / V) / deviation;
      });
    }
    const ids = tensor(letters, { shape: [B, T], dtype: "int32", ...(device && { device }) });
    return { ids, rows: rowTensor(rows, V + T), targets: rowTensor(targets, targetPositions.length * V) };
  };
}
