import { checks } from "@qkv/core";
import { permutation } from "@qkv/tensor";
import { batchNames, type BatchOptions } from "../training/next-token-batches.js";
import { checkExample } from "./check-example.js";
import { packRows, type Piece } from "./pack-rows.js";
import { packedBatch, type PackedBatch } from "./packed-batch.js";
import type { TrainingExample } from "./training-example.js";

/** Position in a stream of batches, as JSON for the metadata of a checkpoint. */
export type BatchStreamState = {
  /** Batches returned so far. */
  readonly step: number;
  /** Number of completed epochs. */
  readonly epoch: number;
  /** Number of examples of this epoch before the current block. */
  readonly skip: number;
  /** Number of earlier blocks, in all epochs. */
  readonly blocks: number;
  /** Rows of this block that have been returned. */
  readonly row: number;
};

/** Options of a stream of batches. */
export type BatchStreamOptions = BatchOptions & {
  /** Number of examples per block, which are shuffled and packed together in memory. Default 1024. */
  shuffle?: number;
  /** Position to continue from, as `state()` returned it. Default: the beginning. */
  state?: BatchStreamState;
};

/** Batches of a stream. */
export type BatchStream = {
  /** The batch of a step, for `train`. Steps must be requested in order. */
  batchAt(step: number): Promise<PackedBatch>;
  /** Position after the last batch: save it with the run, and pass it as `state` to continue. */
  state(): BatchStreamState;
  /** Closes the source. */
  close(): Promise<void>;
};

/**
 * Packs examples that arrive one by one, such as those of a file larger than memory, into batches. Each block of `shuffle` examples
 * is shuffled and packed in memory; after the last example the source is opened again. A stream that continues from a saved state
 * returns the same batches, bit for bit.
 *
 * @param open - Opens the source without its first `skip` examples: an async generator over `jsonLines` or `parquetRows`.
 * @throws {ArgumentError} If a step is not the next one, or an epoch has no example with a target.
 *
 * @example
 * ```ts
 * import { batchStream, jsonLines, textExample } from "@qkv/transformer/data";
 *
 * const file = ['{"ids":[1,2,3]}\n{"ids"', ":[4,5,6]}\n"]; // mostly createReadStream(path), or a Blob
 * async function* open(skip: number) {
 *   for await (const line of jsonLines<{ ids: number[] }>(file, { skip })) yield textExample(line.ids);
 * }
 * const options = { batchSize: 1, contextLength: 2, seed: 1 };
 * const stream = batchStream(open, options);
 * await stream.batchAt(0);
 * const next = await stream.batchAt(1);
 * const other = batchStream(open, { ...options, state: { step: 1, epoch: 0, skip: 0, blocks: 0, row: 1 } });
 * String((await other.batchAt(1)).ids.data) === String(next.ids.data); // => true
 * ```
 */
export function batchStream(
  open: (skip: number) => AsyncIterable<TrainingExample>,
  options: BatchStreamOptions,
): BatchStream {
  const check = checks("batchStream");
  const names = [...batchNames, "seed", "shuffle", "state"] as const;
  const { batchSize, contextLength, seed, device, shuffle = 1024, state } = check.options(options, names);
  check.type({ open }, "function");
  check.whole({ batchSize, contextLength, shuffle }, { min: 1 });
  check.whole({ seed });
  let position = state === undefined ? start : checkState(state);
  /** The current block: its number of examples, and the rows packed from them. */
  let block: { count: number; rows: Piece[][] } | undefined;
  let source: AsyncIterator<TrainingExample> | undefined;
  /** True once an example of this epoch had a target, or if the stream was continued in the middle of an epoch. */
  let hasTargets = position.skip > 0 || position.row > 0;

  async function readBlock(): Promise<{ count: number; rows: Piece[][] }> {
    source ??= openSource(position.skip)[Symbol.asyncIterator]();
    const examples: TrainingExample[] = [];
    try {
      while (examples.length < shuffle) {
        const { done, value } = await source.next();
        if (done) break;
        checkExample(check, `example ${position.skip + examples.length}`, value);
        examples.push(value);
      }
    } catch (error) {
      // A generator that has thrown is finished: the next request opens it again at the same example.
      source = undefined;
      throw error;
    }
    const order = permutation(examples.length, { seed, draw: position.blocks });
    const rows = packRows(
      Array.from(order.data, (n) => examples[n]!),
      contextLength,
    );
    return { count: examples.length, rows };
  }

  async function nextRow(): Promise<Piece[]> {
    for (;;) {
      block ??= await readBlock();
      const { count, rows } = block;
      const row = rows[position.row];
      if (row) {
        position = { ...position, row: position.row + 1 };
        hasTargets = true;
        return row;
      }
      block = undefined;
      if (count > 0) {
        position = { ...position, skip: position.skip + count, blocks: position.blocks + 1, row: 0 };
        continue;
      }
      if (!hasTargets) {
        check.refuse({
          argument: "open",
          received: "a source without a target from its beginning to its end",
          expected: "an example with a target, which is 0 or more",
          fix: "give texts of two tokens or more, or conversations with an answer.",
        });
      }
      position = { ...position, epoch: position.epoch + 1, skip: 0, row: 0 };
      [source, hasTargets] = [undefined, false];
    }
  }

  async function batchAt(step: number): Promise<PackedBatch> {
    if (step !== position.step) {
      check.refuse({
        argument: "step",
        received: step,
        expected: `${position.step}, as a stream returns its batches in order`,
        fix: "go on from the state that was saved after the last step: `batchStream(open, { …, state })`.",
      });
    }
    const rows: Piece[][] = [];
    while (rows.length < batchSize) rows.push(await nextRow());
    position = { ...position, step: step + 1 };
    return packedBatch(rows, contextLength, device);
  }

  // Concurrent requests are processed one after the other.
  let lastRequest: Promise<unknown> = Promise.resolve();
  return {
    batchAt(step) {
      const batch = lastRequest.then(() => batchAt(step));
      lastRequest = batch.catch(() => undefined);
      return batch;
    },
    state: () => ({ ...position }),
    async close() {
      await source?.return?.();
      [source, block] = [undefined, undefined];
    },
  };

  function openSource(skip: number): AsyncIterable<TrainingExample> {
    const examples = open(skip);
    const isStream = (value: unknown) =>
      typeof (value as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] ===
      "function";
    const fix = "write `async function* open(skip) { … }`, which yields examples.";
    check.each({ "open(skip)": examples }, isStream, "examples that arrive one by one", fix);
    return examples;
  }

  function checkState(given: BatchStreamState): BatchStreamState {
    const { step, epoch, skip, blocks, row } = check.options(
      given,
      Object.keys(start) as (keyof BatchStreamState)[],
      "state",
    );
    check.whole(
      { step, epoch, skip, blocks, row },
      { min: 0, fix: "give what `state()` of the stream gave." },
    );
    return { step, epoch, skip, blocks, row };
  }
}

const start: BatchStreamState = { step: 0, epoch: 0, skip: 0, blocks: 0, row: 0 };
