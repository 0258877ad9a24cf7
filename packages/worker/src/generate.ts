import { checks, checkSignal, type Checks } from "@qkv/core";
import type { GeneratedToken, GenerateOptions as TransformerOptions } from "@qkv/transformer";
import { modelConnection, type WorkerModel } from "./model.js";
import { orAborted } from "./or-aborted.js";

/** Options of `generate` of `@qkv/transformer`, without `cache` and `processors`, which cannot be sent to a worker. */
export type GenerateOptions = Omit<TransformerOptions, "cache" | "processors">;

/** The most tokens that the worker computes ahead of the loop. With more, it computes longer after a loop has ended. */
const maxAhead = 4;

/**
 * Continues a prompt in the model's worker, and yields its tokens. Their concatenated texts are the continuation.
 *
 * The worker is at most four tokens ahead: it waits for a slow loop, and stops when the loop ends. When the signal aborts, the
 * loop ends at once, and the worker stops after the current token.
 *
 * @param prompt - Text, or token ids.
 * @throws The errors of `generate` of `@qkv/transformer`, with the same classes. {DeviceError} If the worker ends. The signal's
 *   reason if it aborts.
 *
 * @example
 * ```ts
 * import { generate, load } from "@qkv/worker";
 * import { modelTiny } from "@qkv/model-tiny";
 *
 * const model = await load(await modelTiny());
 * const ids: number[] = [];
 * for await (const { id } of generate(model, "Once upon a time", { maxTokens: 3 })) ids.push(id);
 * await model.dispose();
 * ids.length; // => 3
 * ```
 */
export async function* generate(
  model: WorkerModel,
  prompt: string | readonly number[],
  options?: GenerateOptions,
): AsyncGenerator<GeneratedToken, void, void> {
  const connection = modelConnection(check, model, "decoder");
  refuseFunctions(options);
  const { signal, onFinish, ...sentOptions } = check.options(options, names);
  checkSignal("generate", signal);
  signal?.throwIfAborted();
  const work = connection.nextWorkId();
  const requestToken = () => {
    const result = connection.call("generate", "next", work);
    // Requests ahead may fail after the loop has ended: this avoids unhandled rejections.
    result.catch(() => undefined);
    return result;
  };
  const requests: ReturnType<typeof requestToken>[] = [];
  try {
    await orAborted(connection.call("generate", "start", work, prompt, sentOptions), signal);
    while (requests.length < maxAhead) requests.push(requestToken());
    for (;;) {
      const result = await orAborted(requests.shift()!, signal);
      if (!("token" in result)) {
        if (result.summary) onFinish?.(result.summary);
        return;
      }
      requests.push(requestToken());
      yield result.token;
    }
  } finally {
    connection.call("generate", "end", work).catch(() => undefined);
  }
}

const check: Checks = /* @__PURE__ */ checks("generate");

/** Refuses options of `generate` of `@qkv/transformer` that cannot be sent to a worker. */
function refuseFunctions(options: object | undefined): void {
  for (const argument of ["cache", "processors"] as const) {
    const received = (options as Record<string, unknown> | undefined)?.[argument];
    if (received === undefined) continue;
    check.refuse({
      argument,
      received,
      expected: "nothing, as it cannot be sent to a worker",
      fix: "leave it out, or run `generate` of @qkv/transformer in a worker of your own.",
    });
  }
}

const names = [
  "maxTokens",
  "sampling",
  "stop",
  "logprobs",
  "speculate",
  "signal",
  "onFinish",
] as const satisfies readonly (keyof GenerateOptions)[];
