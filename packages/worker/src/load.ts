import { checks, checkSignal } from "@qkv/core";
import type { Progress, Source } from "@qkv/transformer";
import { Connection } from "./connection.js";
import { workerModel, type WorkerModel } from "./model.js";
import { orAborted } from "./or-aborted.js";
import { toSentOptions, type ModelOptions } from "./sent-options.js";
import { toSentSource } from "./sent-source.js";
import { openPort, type WorkerChoice } from "./spawn.js";

export type LoadOptions = ModelOptions & {
  /**
   * The worker: `"dedicated"` (default), one of the model's own; `"shared"`, one that all tabs of a site have, with one copy of
   * each model; or a Worker, SharedWorker or MessagePort of yours whose module calls `serve` of `@qkv/worker/serve`.
   */
  worker?: WorkerChoice;
  signal?: AbortSignal;
  /** Called as bytes arrive. */
  onProgress?: (progress: Progress) => void;
};

/**
 * Loads a decoder or an encoder in a worker, so that the thread that asks stays free: a Worker or a SharedWorker in a page, a
 * thread in Node.
 *
 * With `worker: "shared"`, a model of the same path or address and options is loaded once for all tabs. The last tab that disposes of it, or
 * is closed, frees it.
 *
 * @param source - As for `load` of `@qkv/transformer`: a folder or a file by path or URL, a repository of the Hugging Face Hub, a
 *   Blob, or the files that a reader chose. Bytes in an array are copied.
 * @throws As `load` of `@qkv/transformer` does, with the same classes. {ArgumentError} if a value cannot be sent to a worker.
 *   {DeviceError} if the worker cannot be started or ends. The signal's reason, when it aborts.
 *
 * @example
 * ```ts
 * import { generate, load } from "@qkv/worker";
 * import { modelTiny } from "@qkv/model-tiny";
 *
 * const model = await load(await modelTiny());
 * let story = "Once upon a time";
 * for await (const { text } of generate(model, story, { maxTokens: 10 })) story += text;
 * await model.dispose();
 * story; // => "Once upon a time, the frog and the bear had a race."
 * ```
 */
export async function load(source: Source | readonly File[], options?: LoadOptions): Promise<WorkerModel> {
  const check = checks("load");
  const { worker = "dedicated", signal, onProgress, ...rest } = check.options(options, names);
  checkSignal("load", signal);
  if (onProgress !== undefined) check.type({ onProgress }, "function");
  const [from, sentOptions] = [toSentSource(check, "source", source), toSentOptions(check, rest)];
  signal?.throwIfAborted();
  const connection = new Connection(await openPort(worker), onProgress);
  try {
    await orAborted(connection.greet(), signal);
    const loaded = await orAborted(connection.call("load", "load", from, sentOptions), signal);
    return workerModel(connection, loaded);
  } catch (error) {
    connection.end();
    throw error;
  }
}

const names = [
  "device",
  "dtype",
  "tokenizer",
  "quantize",
  "hub",
  "store",
  "idleTimeoutMs",
  "maxBytes",
  "worker",
  "signal",
  "onProgress",
] as const satisfies readonly (keyof LoadOptions)[];
