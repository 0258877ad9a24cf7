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
   * The worker. `"dedicated"`: a new one for this model. `"shared"`: a SharedWorker of all tabs of a site, with one copy of
   * each model. Or your own Worker, SharedWorker or MessagePort, whose module calls `serve` of `@qkv/worker/serve`. Default
   * `"dedicated"`.
   */
  worker?: WorkerChoice;
  /** Aborts loading. Default: none. */
  signal?: AbortSignal;
  /** Called as bytes arrive. Default: none. */
  onProgress?: (progress: Progress) => void;
};

/**
 * Loads a decoder or an encoder in a worker, so that the calling thread is not blocked: a Worker or a SharedWorker in a page, a
 * worker thread in Node.
 *
 * With `worker: "shared"`, a model with the same path or URL and options is loaded once for all tabs. It is freed when the last
 * tab disposes of it or is closed.
 *
 * @param source - As for `load` of `@qkv/transformer`: a folder or a file by path or URL, a repository of the Hugging Face Hub, a
 *   Blob, or the files that a user chose. Bytes in an array are copied.
 * @throws The errors of `load` of `@qkv/transformer`, with the same classes. {ArgumentError} If a value cannot be sent to a worker.
 *   {DeviceError} If the worker cannot be started, or ends. The signal's reason if it aborts.
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
  const sentSource = toSentSource(check, "source", source);
  const sentOptions = toSentOptions(check, rest);
  signal?.throwIfAborted();
  const connection = new Connection(await openPort(worker), onProgress);
  try {
    await orAborted(connection.handshake(), signal);
    const loaded = await orAborted(connection.call("load", "load", sentSource, sentOptions), signal);
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
