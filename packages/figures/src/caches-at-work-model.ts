import { checks } from "@qkv/core";
import type { Model } from "@qkv/transformer";
import {
  cachesAtWork,
  type CachesAtWorkChoices,
  type CachesAtWorkModel,
} from "@qkv/viz/figures/caches-at-work";

/**
 * Computes the numbers of *KV caches at work*: a model runs one conversation on each kind of cache of `@qkv/kv-cache`, and the
 * memory of the caches is read after each operation: slots, page tables, copies, bytes, quantized keys, next tokens.
 *
 * @param model - A decoder with its tokenizer, as `load` returns it.
 * @param choices - Those of the figure. `operations` has a letter for each operation: `a`, `b`, `c` append a token to
 *   sequence A, B or C, `f` forks A to B, `n` starts C, a new request.
 * @throws {ArgumentError} If a choice is not one that the figure offers, or has another name; or if the model has no
 *   tokenizer. The signal's reason, when it aborts.
 *
 * @example
 * ```ts
 * import { cachesAtWorkModel } from "@qkv/figures";
 * import { modelTiny } from "@qkv/model-tiny";
 * import { load } from "@qkv/transformer";
 *
 * const model = await load(await modelTiny());
 * const { kinds } = await cachesAtWorkModel(model, { operations: "fb" });
 * const paged = kinds.find(({ id }) => id === "paged");
 * paged?.moments.map(({ copied }) => copied); // => [0, 0, 1]
 * ```
 */
export async function cachesAtWorkModel(
  model: Model,
  choices: Partial<CachesAtWorkChoices> = {},
  { signal }: { signal?: AbortSignal } = {},
): Promise<CachesAtWorkModel> {
  const check = checks("cachesAtWorkModel");
  const isDecoder = (value: unknown) => {
    const { apply, tokenizer } = (value ?? {}) as Partial<Model>;
    return typeof apply === "function" && tokenizer !== undefined;
  };
  check.each(
    { model },
    isDecoder,
    "a decoder with its tokenizer",
    "load one: await load(await modelTiny()).",
  );
  const names = Object.keys(cachesAtWork.initial) as (keyof CachesAtWorkChoices)[];
  const given = { ...cachesAtWork.initial, ...check.options(choices, names) };
  check.oneOf({ budget: given.budget }, ["small", "medium", "large"]);
  const { runCaches } = await import("./caches-at-work/run-caches.js");
  return runCaches(model, given, signal);
}
