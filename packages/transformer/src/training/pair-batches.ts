import { checks } from "@qkv/core";
import { tensor, type Device, type Tensor } from "@qkv/tensor";

/** Source and target texts, as token ids. */
export type PairBatch = {
  /** int32 `[B, S]`. */
  readonly source: Tensor;
  /** The length of each source, B of them. Unit: tokens. */
  readonly sourceLengths: readonly number[];
  /** Decoder input: `startId`, then the target. int32 `[B, T]`. */
  readonly decoderInput: Tensor;
  /** Targets: the target, then `endId`. int32 `[B, T]`; -100 for padding. */
  readonly targets: Tensor;
};

/** Options of batches of text pairs. */
export type PairOptions = {
  /** Returns the pair at an index, as token ids. */
  pairAt(index: number): { source: readonly number[]; target: readonly number[] };
  /** B */
  batchSize: number;
  /** Start token of the decoder input. */
  startId: number;
  /** End token of each target. */
  endId: number;
  /** Padding token of sources, up to the longest in the batch. */
  padId: number;
  /** Device of the tensors. Default: the plain JavaScript device. */
  device?: Device;
};

/**
 * Creates batches of text pairs, such as a sentence and its translation: the pairs in order, B per step, padded to the
 * longest.
 *
 * @throws {ArgumentError} If a source is empty.
 *
 * @example
 * ```ts
 * import { pairBatches } from "@qkv/transformer/training";
 *
 * const pairAt = (n: number) => ({ source: [7, 8], target: [9].slice(0, n + 1) });
 * const batch = pairBatches({ pairAt, batchSize: 1, startId: 1, endId: 2, padId: 0 })(0);
 * [batch.source.toNested(), batch.decoderInput.toNested(), batch.targets.toNested()]; // => [[[7, 8]], [[1, 9]], [[9, 2]]]
 * ```
 */
export function pairBatches(options: PairOptions): (step: number) => PairBatch {
  const check = checks("pairBatches");
  const names = ["pairAt", "batchSize", "startId", "endId", "padId", "device"] as const;
  const {
    pairAt,
    batchSize: B,
    startId,
    endId,
    padId,
    device,
  } = check.options(options, [...names, ...vocabularyNames]);
  check.type({ pairAt }, "function");
  check.whole({ batchSize: B }, { min: 1 });
  check.whole({ startId, endId, padId }, { min: 0 });
  const paddedTensor = (rows: readonly (readonly number[])[], fill: number): Tensor => {
    const width = Math.max(...rows.map((row) => row.length));
    const data = new Int32Array(rows.length * width).fill(fill);
    rows.forEach((row, b) => data.set(row, b * width));
    return tensor(data, { shape: [rows.length, width], dtype: "int32", ...(device && { device }) });
  };
  return (step) => {
    check.whole({ step }, { min: 0 });
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
      source: paddedTensor(
        pairs.map(({ source }) => source),
        padId,
      ),
      sourceLengths: pairs.map(({ source }) => source.length),
      decoderInput: paddedTensor(
        pairs.map(({ target }) => [startId, ...target]),
        endId,
      ),
      targets: paddedTensor(
        pairs.map(({ target }) => [...target, endId]),
        -100,
      ),
    };
  };
}

/** Further fields of a vocabulary such as `ascii`, which may be spread into the options. */
const vocabularyNames = ["vocabSize", "encode", "decode"] as unknown as readonly (keyof PairOptions)[];
