import { checks } from "@qkv/core";
import type { TrainingExample } from "@qkv/transformer/data";
import { createBirpc } from "birpc";
import type { NodePort } from "../node-threads.js";
import { captureResult, type SentResult } from "../sent-error.js";
import { servedPort } from "./served-port.js";

/** Functions of a worker that creates examples. */
export type ExampleFunctions = {
  /** Creates the function from a record to an example. */
  prepare(setup: unknown): Promise<SentResult<void>>;
  /** Examples of records, in their order. */
  examples(records: readonly unknown[]): Promise<SentResult<readonly TrainingExample[]>>;
};

export type ServeExamplesOptions = {
  /** The port of `exampleWorkers`. Default: the worker's own port. */
  port?: MessagePort | NodePort;
};

/**
 * Creates examples in this worker for `exampleWorkers`.
 *
 * @param prepare - Returns the function from a record to an example. Its argument is the `setup` of `exampleWorkers`.
 * @throws {ArgumentError} If this thread is not a worker, and no `port` is given.
 *
 * @example
 * ```ts
 * import { loadTokenizer } from "@qkv/tokenizer";
 * import { textExample } from "@qkv/transformer/data";
 * import { serveExamples } from "@qkv/worker/training";
 *
 * // examples.ts, the module of the worker.
 * const prepare = async (folder: string) => {
 *   const tokenizer = await loadTokenizer(folder);
 *   return ({ text }: { text: string }) => textExample(tokenizer.encode(text));
 * };
 * serveExamples(prepare); // => throws ArgumentError: `port`
 * ```
 */
export function serveExamples<Record, Setup = undefined>(
  prepare: (
    setup: Setup,
  ) => ((record: Record) => TrainingExample) | Promise<(record: Record) => TrainingExample>,
  options?: ServeExamplesOptions,
): void {
  const check = checks("serveExamples");
  const { port } = check.options(options, ["port"]);
  check.type({ prepare }, "function");
  const channel = servedPort(check, port, "exampleWorkers");
  let toExample: (record: Record) => TrainingExample;
  const functions: ExampleFunctions = {
    prepare: (setup) =>
      captureResult(async () => {
        toExample = await prepare(setup as Setup);
      }),
    // Ids may be a view of a larger buffer, all of which would be sent: they are copied.
    examples: (records) =>
      captureResult(() =>
        (records as readonly Record[]).map(toExample).map(({ ids, targets }) => ({
          ids: Int32Array.from(ids),
          targets: Int32Array.from(targets),
        })),
      ),
  };
  createBirpc<object, ExampleFunctions, false>(functions, {
    post: (message) => channel.post(message, []),
    on: (f) => channel.listen(f),
    timeout: -1,
    proxify: false,
  });
}
