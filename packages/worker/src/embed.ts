import { checks, checkSignal } from "@qkv/core";
import type { EmbedOptions } from "@qkv/transformer";
import { modelConnection, type WorkerModel } from "./model.js";
import { orAborted } from "./or-aborted.js";

/**
 * Embeds texts in the model's worker. The memory of the vectors is transferred to this thread, not copied.
 *
 * @param model - An encoder.
 * @returns A vector of unit norm for each text.
 * @throws The errors of `embed` of `@qkv/transformer`. {DeviceError} If the worker ends. The signal's reason if it aborts.
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
  options?: EmbedOptions,
): Promise<Float32Array[]> {
  const check = checks("embed");
  const connection = modelConnection(check, model, "encoder");
  check.list({ texts }, "texts", (text) => typeof text === "string");
  const { signal, ...sentOptions } = check.options(options, names);
  checkSignal("embed", signal);
  signal?.throwIfAborted();
  const work = connection.nextWorkId();
  try {
    return await orAborted(connection.call("embed", "embed", work, [...texts], sentOptions), signal);
  } catch (error) {
    if (signal?.aborted) connection.call("embed", "end", work).catch(() => undefined);
    throw error;
  }
}

const names = ["pooling", "promptName", "prompt", "dimensions", "signal"] as const;
