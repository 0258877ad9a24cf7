import type { KvCache } from "@qkv/kv-cache";
import { tensor, type Tensor } from "@qkv/tensor";
import type { GenerativeModel } from "../models/model.js";
import { lastTokensLogits } from "./beginning.js";

/** Computes the logits of each prompt's last token, and fills the cache with the prompts without padding. */
export async function prefill(
  model: GenerativeModel,
  prompts: readonly (readonly number[])[],
  cache: KvCache,
): Promise<ArrayLike<number>[]> {
  const lengths = prompts.map(({ length }) => length);
  const T = Math.max(...lengths);
  // Padding is on the right, where no token attends to it.
  const ids = tensor(
    prompts.map((prompt) => Array.from({ length: T }, (_, t) => prompt[t] ?? 0)),
    { dtype: "int32", device: model.params.embedding.weight.device },
  );
  const shortest = Math.min(...lengths);
  const last = T - shortest + 1;
  const logits = lastTokensLogits(model, ids, { cache, last, ...(last > 1 && { padding: lengths }) }); // [B, last, V]
  const [B, rows, V] = logits.shape as [number, number, number];
  const elements = await logits.read();
  if (shortest < T) cache.crop(lengths);
  return Array.from({ length: B }, (_, b) => {
    const start = (b * rows + rows - 1 - (T - lengths[b]!)) * V;
    return elements.slice(start, start + V);
  });
}

/** Logits of the last token of each batch, from `[B, 1, V]`. */
async function lastTokenLogits(logits: Tensor): Promise<ArrayLike<number>[]> {
  const [B, rows, V] = logits.shape as [number, number, number];
  const elements = await logits.read();
  return Array.from({ length: B }, (_, b) => elements.subarray(((b + 1) * rows - 1) * V, (b + 1) * rows * V));
}

/** Logits of each batch after one more token. */
export async function decodeStep(
  model: GenerativeModel,
  tokens: readonly number[],
  cache: KvCache,
): Promise<ArrayLike<number>[]> {
  const { device } = model.params.embedding.weight;
  const ids = tensor(
    tokens.map((token) => [token]),
    { dtype: "int32", device },
  );
  return lastTokenLogits(lastTokensLogits(model, ids, { cache, last: 1 }));
}
