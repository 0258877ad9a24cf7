import { checks } from "@qkv/core";
import type { Model } from "@qkv/transformer";
import type { CacheKind, CachesAtWorkChoices, CachesAtWorkModel } from "@qkv/viz/figures/caches-at-work";
import { conversation } from "./conversation.js";
import { kinds } from "./kinds.js";
import { replay } from "./replay.js";

/** Runs one conversation of a model on every kind of cache. */
export async function runCaches(
  model: Model,
  { kind, budget, operations }: CachesAtWorkChoices,
  signal: AbortSignal | undefined,
): Promise<CachesAtWorkModel> {
  checks("cachesAtWorkModel").oneOf(
    { kind },
    kinds.map(({ id }) => id),
  );
  const talk = await conversation(model, operations, signal);
  const shown: CacheKind[] = [];
  for (const entry of kinds) shown.push(await replay(model, talk, entry, budget, signal));
  const { numLayers, numKvHeads, embedDim, numHeads, headDim = embedDim / numHeads } = model.config;
  return {
    operations: talk.operations,
    texts: talk.texts,
    attention: talk.attention,
    numLayers,
    numKvHeads,
    headDim,
    bytesPerToken: numLayers * numKvHeads * 2 * headDim * 4,
    kinds: shown,
  };
}
