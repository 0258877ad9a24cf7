import { checks } from "@qkv/core";
import type { TrainingExample } from "@qkv/transformer/data";
import type { NodeWorker } from "../node-threads.js";
import type { ExampleFunctions } from "./serve-examples.js";
import { Thread } from "./thread.js";

/** Options of {@link exampleWorkers}. */
export type ExampleWorkersOptions<Setup> = {
  /** Starts a worker whose module calls `serveExamples`: `() => new Worker(new URL("./examples.js", import.meta.url))`. */
  worker(): Worker | NodeWorker | MessagePort;
  /** Number of workers. Examples and their order do not depend on it. Default 2. */
  count?: number;
  /** Number of records that are sent to a worker at once. Each worker has at most two blocks. Default 64. */
  blockSize?: number;
  /** Argument of `prepare` in each worker, such as the URL of a tokenizer. It is copied. Default: undefined. */
  setup?: Setup;
};

/** Workers that create examples ahead of the reader. */
export type ExampleWorkers<Record> = {
  /**
   * Yields one example for each record, in their order, while the workers create the next ones. An error of a record or of the
   * source is thrown in its place, after the examples before it.
   */
  examples(records: AsyncIterable<Record> | Iterable<Record>): AsyncGenerator<TrainingExample, void>;
  /** Ends the workers. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Starts workers that tokenize ahead, so that a training step does not wait for its batch: the source of a `batchStream`. Batches,
 * their order and resume positions are the same as without workers.
 *
 * @throws {ArgumentError} If `worker` is not a function, or a count is not an integer of at least 1.
 * @throws {DeviceError} From the generator, if a worker ends early.
 *
 * @example
 * ```ts
 * import { jsonLines, type TrainingExample } from "@qkv/transformer/data";
 * import { exampleWorkers } from "@qkv/worker/training";
 *
 * // examples.js calls `serveExamples`; the stream is `batchStream(open, { … })`.
 * const worker = () => new Worker(new URL("./examples.js", import.meta.url), { type: "module" });
 * const open = (file: Blob) => async function* (skip: number): AsyncGenerator<TrainingExample> {
 *   await using workers = exampleWorkers({ worker, setup: "tokenizer/" });
 *   yield* workers.examples(jsonLines(file, { skip }));
 * };
 * typeof open(new Blob()); // => "function"
 * ```
 */
export function exampleWorkers<Record, Setup = unknown>(
  options: ExampleWorkersOptions<Setup>,
): ExampleWorkers<Record> {
  const check = checks("exampleWorkers");
  const names = ["worker", "count", "blockSize", "setup"] as const;
  const { worker, count = 2, blockSize = 64, setup } = check.options(options, names);
  check.type({ worker }, "function", "give a function that starts a worker: `() => new Worker(…)`.");
  check.whole({ count }, { min: 1, unit: "workers" });
  check.whole({ blockSize }, { min: 1, unit: "records" });
  const threads = Array.from({ length: count }, () => {
    const thread = new Thread<ExampleFunctions>("exampleWorkers", "serveExamples", worker());
    const ready = thread.call("prepare", setup);
    ready.catch(() => undefined); // thrown by `examples`
    return { thread, ready };
  });

  async function* examples(
    records: AsyncIterable<Record> | Iterable<Record>,
  ): AsyncGenerator<TrainingExample, void> {
    const source =
      Symbol.asyncIterator in records ? records[Symbol.asyncIterator]() : records[Symbol.iterator]();
    const blocks: Promise<readonly TrainingExample[]>[] = [];
    let nextThread = 0;
    let ended = false;

    async function readBlock(): Promise<void> {
      const block: Record[] = [];
      let failure: Promise<never> | undefined;
      while (block.length < blockSize && !ended) {
        try {
          const { done, value } = await source.next();
          if (done) ended = true;
          else block.push(value);
        } catch (error) {
          ended = true;
          failure = Promise.reject(error as Error);
        }
      }
      const { thread, ready } = threads[nextThread++ % count]!;
      if (block.length > 0) blocks.push(ready.then(() => thread.call("examples", block)));
      if (failure) blocks.push(failure);
      for (const pending of blocks) pending.catch(() => undefined); // thrown when the block is read
    }

    try {
      for (;;) {
        while (blocks.length < 2 * count && !ended) await readBlock();
        const block = blocks.shift();
        if (!block) return;
        yield* await block;
      }
    } finally {
      if (!ended) await source.return?.();
    }
  }

  return { examples, close, [Symbol.asyncDispose]: close };

  async function close(): Promise<void> {
    await Promise.all(threads.map(({ thread }) => thread.close()));
  }
}
