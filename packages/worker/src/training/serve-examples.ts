import { checks } from "@qkv/core";
import type { TrainingExample } from "@qkv/transformer/data";
import { createBirpc } from "birpc";
import type { NodePort } from "../node-threads.js";
import { sent, type Sent } from "../sent-error.js";
import { servedPort } from "./served-port.js";

/** Functions of a worker that makes examples. */
export type ExampleFunctions = {
  /** Makes the function that turns records into examples. */
  prepare(setup: unknown): Promise<Sent<void>>;
  /** Examples of records, in their order. */
  examples(records: readonly unknown[]): Promise<Sent<readonly TrainingExample[]>>;
};

export type ServeExamplesOptions = {
  /** The port that `exampleWorkers` writes to. Default: that of the worker. */
  port?: MessagePort | NodePort;
};

/**
 * Makes this worker one that tokenizes for `exampleWorkers`.
 *
 * @param prepare - Makes the function from a record to an example, from the `setup` that `exampleWorkers` was given.
 * @throws {ArgumentError} If this is no worker, and no `port` is given.
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
  const end = servedPort(check, port, "exampleWorkers");
  let exampleOf: (record: Record) => TrainingExample;
  const functions: ExampleFunctions = {
    prepare: (setup) =>
      sent(async () => {
        exampleOf = await prepare(setup as Setup);
      }),
    // A list of ids may be a view of something larger: a copy is sent.
    examples: (records) =>
      sent(() =>
        (records as readonly Record[]).map(exampleOf).map(({ ids, targets }) => ({
          ids: Int32Array.from(ids),
          targets: Int32Array.from(targets),
        })),
      ),
  };
  createBirpc<object, ExampleFunctions, false>(functions, {
    post: (message) => end.post(message, []),
    on: (f) => end.listen(f),
    timeout: -1,
    proxify: false,
  });
}
