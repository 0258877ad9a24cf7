import { checks, checkSignal } from "@qkv/core";
import type { EmbedOptions } from "@qkv/transformer";
import { connectionOf, type WorkerModel } from "./model.js";
import { orAborted } from "./or-aborted.js";

/**
 * Embeds texts in the model's worker: one vector of length 1 for each, whose memory moves to this thread without a copy.
 *
 * @param model - An encoder.
 * @throws As `embed` of `@qkv/transformer` does. {DeviceError} if the worker ends. The signal's reason, when it aborts.
 *
 * @example
 * ```ts
 * import { embed, load } from "@qkv/worker";
 * import { modelTiny } from "@qkv/model-tiny";
 *
 * const decoder = await load(await modelTiny());
 * await embed(decoder, ["a cat"]); // => throws ArgumentError: `model`
 * await decoder.dispose();
 * ```
 */
export async function embed(
  model: WorkerModel,
  texts: readonly string[],
  given?: EmbedOptions,
): Promise<Float32Array[]> {
  const check = checks("embed");
  const connection = connectionOf(check, model, "encoder");
  check.list({ texts }, "texts", (text) => typeof text === "string");
  const { signal, ...options } = check.options(given, names);
  checkSignal("embed", signal);
  signal?.throwIfAborted();
  const work = connection.nextNumber();
  try {
    return await orAborted(connection.call("embed", "embed", work, [...texts], options), signal);
  } catch (error) {
    if (signal?.aborted) connection.call("embed", "end", work).catch(() => undefined);
    throw error;
  }
}

const names = ["pooling", "promptName", "prompt", "dimensions", "signal"] as const;
