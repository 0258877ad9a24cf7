import { checks, checkSignal, type Checks } from "@qkv/core";
import type { GeneratedToken, GenerateOptions as TransformerOptions } from "@qkv/transformer";
import { connectionOf, type WorkerModel } from "./model.js";
import { orAborted } from "./or-aborted.js";

/** Options of `generate` of `@qkv/transformer`, but for functions and caches, which stay in their thread. */
export type GenerateOptions = Omit<TransformerOptions, "cache" | "processors">;

/** Tokens that the worker computes before they are asked for. More of them keep it busy longer after a loop has ended. */
const ahead = 4;

/**
 * Continues a prompt, token by token, in the model's worker. Joined, the texts are the continuation.
 *
 * The worker is four tokens ahead at most: a loop that is slow slows it down, and one that ends, ends it. When the signal aborts, the
 * loop ends at once, and the worker after the token that it computes.
 *
 * @param prompt - Text, or token ids.
 * @throws As `generate` of `@qkv/transformer` does, with the same classes. {DeviceError} if the worker ends. The signal's reason,
 *   when it aborts.
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
  given?: GenerateOptions,
): AsyncGenerator<GeneratedToken, void, void> {
  const connection = connectionOf(check, model, "decoder");
  refuseFunctions(given);
  const { signal, onFinish, ...options } = check.options(given, names);
  checkSignal("generate", signal);
  signal?.throwIfAborted();
  const work = connection.nextNumber();
  const ask = () => {
    const piece = connection.call("generate", "next", work);
    // Those that are asked for ahead may fail with nobody left to await them.
    piece.catch(() => undefined);
    return piece;
  };
  const asked: ReturnType<typeof ask>[] = [];
  try {
    await orAborted(connection.call("generate", "start", work, prompt, options), signal);
    while (asked.length < ahead) asked.push(ask());
    for (;;) {
      const piece = await orAborted(asked.shift()!, signal);
      if (!("token" in piece)) {
        if (piece.summary) onFinish?.(piece.summary);
        return;
      }
      asked.push(ask());
      yield piece.token;
    }
  } finally {
    connection.call("generate", "end", work).catch(() => undefined);
  }
}

const check: Checks = /* @__PURE__ */ checks("generate");

/** Options that `generate` of the transformer has, and a worker cannot be sent. */
function refuseFunctions(given: object | undefined): void {
  for (const argument of ["cache", "processors"] as const) {
    const received = (given as Record<string, unknown> | undefined)?.[argument];
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
