import { checks } from "@qkv/core";
import { tensor, type Device, type Tensor } from "@qkv/tensor";

/** Texts and what shall be written for them, as token ids. */
export type PairBatch = {
  /** int32 `[B, S]`. */
  readonly source: Tensor;
  /** The length of each source, B of them. Unit: tokens. */
  readonly sourceLengths: readonly number[];
  /** What the writer has before each token: `startId`, then what was written. int32 `[B, T]`. */
  readonly decoderInput: Tensor;
  /** What it shall write: the target, then `endId`. int32 `[B, T]`; -100 where nothing is asked. */
  readonly targets: Tensor;
};

/** How pairs of texts become batches. */
export type PairOptions = {
  /** The pair of a place, as token ids. */
  pairAt(place: number): { source: readonly number[]; target: readonly number[] };
  /** B */
  batchSize: number;
  /** What a writer begins with. */
  startId: number;
  /** What stands behind each target. */
  endId: number;
  /** What fills up sources that are shorter than the longest of their batch. */
  padId: number;
  /** Where the tensors shall be. Default: the plain device. */
  device?: Device;
};

/**
 * Batches for training from text to text: pairs one after the other, B in a step, filled up to the longest.
 *
 * @throws {ArgumentError} If a source is empty.
 *
 * @example
 * ```ts
 * import { pairBatches } from "@qkv/transformer/training";
 *
 * const pairAt = (n: number) => ({ source: [7, 8], target: [9].slice(0, n + 1) });
 * const batch = pairBatches({ pairAt, batchSize: 1, startId: 1, endId: 2, padId: 0 })(0);
 * [batch.source.toNested(), batch.written.toNested(), batch.targets.toNested()]; // => [[[7, 8]], [[1, 9]], [[9, 2]]]
 * ```
 */
export function pairBatches(options: PairOptions): (step: number) => PairBatch {
  const check = checks("pairBatches");
  // What a vocabulary has besides, such as `ascii`, may be spread into the options.
  const names = ["pairAt", "batchSize", "startId", "endId", "padId", "device"] as const;
  const {
    pairAt,
    batchSize: B,
    startId,
    endId,
    padId,
    device,
  } = check.options(options, [...names, ...ofVocabularies]);
  check.type({ pairAt }, "function");
  check.whole({ batchSize: B }, { min: 1 });
  check.whole({ startId, endId, padId }, { min: 0 });
  const make = (rows: readonly (readonly number[])[], fill: number): Tensor => {
    const width = Math.max(...rows.map((row) => row.length));
    const data = new Int32Array(rows.length * width).fill(fill);
    rows.forEach((row, b) => data.set(row, b * width));
    return tensor(data, { shape: [rows.length, width], dtype: "int32", ...(device && { device }) });
  };
  return (step) => {
    const pairs = Array.from({ length: B }, (_, b) => pairAt(step * B + b));
    const empty = pairs.findIndex(({ source }) => source.length === 0);
    if (empty >= 0) {
      const fix = "give a source of one token or more.";
      const received = `empty at place ${step * B + empty}`;
      check.refuse({
        argument: "source",
        received,
        expected: "token ids",
        fix,
      });
    }
    return {
      source: make(
        pairs.map(({ source }) => source),
        padId,
      ),
      sourceLengths: pairs.map(({ source }) => source.length),
      decoderInput: make(
        pairs.map(({ target }) => [startId, ...target]),
        endId,
      ),
      targets: make(
        pairs.map(({ target }) => [...target, endId]),
        -100,
      ),
    };
  };
}

const ofVocabularies = ["vocabSize", "encode", "decode"] as unknown as readonly (keyof PairOptions)[];
