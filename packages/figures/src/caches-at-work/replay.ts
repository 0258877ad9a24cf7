import { isPaged } from "@qkv/attention-contract";
import { ArgumentError } from "@qkv/core";
import type { KvCache } from "@qkv/kv-cache";
import type { TypedArray } from "@qkv/tensor";
import type { Model } from "@qkv/transformer";
import type {
  CacheBudget,
  CacheKind,
  CacheMoment,
  CacheRegion,
  RoundedKey,
} from "@qkv/viz/figures/caches-at-work";
import { tokenText } from "../token-text.js";
import type { Conversation } from "./conversation.js";
import type { KindEntry } from "./kinds.js";
import { bufferNumbers, readMemory } from "./memory.js";

/** Runs the conversation on one kind of cache, and reads the memory of the cache after each operation. */
export async function replay(
  model: Model,
  conversation: Conversation,
  entry: KindEntry,
  budget: CacheBudget,
  signal: AbortSignal | undefined,
): Promise<CacheKind> {
  const { id, name, description, names, stores } = entry;
  const layers = entry.layers?.(model);
  const { numLayers, numKvHeads, embedDim, numHeads, headDim = embedDim / numHeads } = model.config;
  const tokenBytes = numLayers * numKvHeads * 2 * headDim * 4;
  const caches: (KvCache | undefined)[] = [
    entry.make(entry.budget?.tokens[budget] ?? 0, model.config.numLayers),
    undefined,
    undefined,
  ];
  const bufferNumber = bufferNumbers();
  const reused = [0, 0, 0];
  const refusals: (string | undefined)[] = [];
  const moments: CacheMoment[] = [];
  const rounded: Record<string, RoundedKey> = {};
  let largestError = 0;
  for (const [i, { kind, sequence, lengths }] of conversation.operations.entries()) {
    signal?.throwIfAborted();
    const ids = conversation.ids[sequence]!.slice(0, lengths[sequence]);
    if (kind === "fork") {
      caches[1] = caches[0]!.fork();
      refusals[1] = refusals[0];
    }
    if (kind === "request") {
      caches[2] = caches[0]!.fork();
      caches[2].reset();
      reused[2] = entry.match?.(caches[2], ids) ?? 0;
    }
    const cache = caches[sequence]!;
    const input = conversation.given[i]!.slice(kind === "request" ? reused[2] : 0);
    let logits: TypedArray | undefined;
    let computed = 0;
    if (kind !== "fork" && refusals[sequence] === undefined) {
      try {
        if (layers) layers(input, cache);
        else logits = await model.apply(model.params, input, { cache, last: 1 }).read();
        computed = input.length;
        entry.remember?.(cache, ids);
      } catch (error) {
        if (!(error instanceof ArgumentError)) throw error;
        refusals[sequence] = error.message;
      }
    }
    const memory = readMemory(caches, bufferNumber, { stores, tokenBytes });
    const before = moments.at(-1)?.regions ?? [];
    const regions = withOrigins(memory.regions, before, forkLength(conversation));
    const moved = regions.flatMap((region) =>
      region.slots.flatMap((token) => (token?.from === undefined ? [] : [{ region, from: token.from }])),
    );
    const isRounded = ({ region, from }: (typeof moved)[number]) =>
      region.stored !== before.find((earlier) => earlier.id === regionId(from))!.stored;
    const copies = moved.filter((each) => regionId(each.from) !== each.region.id && !isRounded(each));
    const refusal = kind === "fork" ? undefined : refusals[sequence];
    const next = logits && nextToken(model, conversation.logits[i]!, logits);
    moments.push({
      sequences: memory.sequences.map((own, s) => own && { ...own, reused: reused[s]! }),
      regions,
      bytes: memory.bytes,
      usedBytes: regions.reduce(
        (sum, { bytes, slots }) => sum + (bytes * slots.filter(Boolean).length) / slots.length,
        0,
      ),
      computed,
      copied: copies.length,
      copiedBytes: copies.reduce((sum, { region }) => sum + region.bytes / region.slots.length, 0),
      rounded: moved.filter(isRounded).length,
      ...(refusal !== undefined && { refusal }),
      ...(next && { next }),
    });
    caches.forEach((cache, s) => {
      const quantized =
        cache && cache.length > 0 && !stores ? roundedKeys(cache, conversation, s) : undefined;
      Object.assign(rounded, quantized?.rounded);
      largestError = Math.max(largestError, quantized?.largestError ?? 0);
    });
    await new Promise((resolve) => setTimeout(resolve));
  }
  return {
    id,
    name,
    description,
    names,
    ...(layers && { weights: "random" as const }),
    ...(entry.budget && {
      budget: {
        label: entry.budget.label,
        options: Object.entries(entry.budget.tokens).map(([value, tokens]) => ({
          value: value as CacheBudget,
          tokens,
        })),
      },
    }),
    moments,
    rounded,
    largestError,
  };
}

const regionId = (address: string): string => address.slice(0, address.lastIndexOf(":"));

/** Length of A when it was forked, which is the prefix that B shares. Unit: tokens. */
const forkLength = ({ operations }: Conversation): number =>
  operations.find(({ kind }) => kind === "fork")?.lengths[0] ?? 0;

/** Adds to each token in a slot the sequence that wrote it, and the slot that it was copied from. */
function withOrigins(
  regions: readonly CacheRegion[],
  before: readonly CacheRegion[],
  forked: number,
): CacheRegion[] {
  const slotsByToken = new Map<string, string[]>();
  const key = (sequence: number, position: number) => `${sequence}:${position}`;
  for (const { id, slots } of before)
    slots.forEach((token, slot) => {
      if (!token) return;
      const tokenKey = key(token.sequence, token.position);
      slotsByToken.set(tokenKey, [...(slotsByToken.get(tokenKey) ?? []), `${id}:${slot}`]);
    });
  return regions.map((region) => ({
    ...region,
    slots: region.slots.map((token, slot) => {
      if (!token) return undefined;
      const { position } = token;
      const sequence = token.sequence === 1 && position < forked ? 0 : token.sequence;
      const previousSlots = slotsByToken.get(key(sequence, position)) ?? [];
      const address = `${region.id}:${slot}`;
      const from = previousSlots.includes(address) ? undefined : previousSlots[0];
      return { sequence, position, ...(from !== undefined && { from }) };
    }),
  }));
}

/** Quantized keys of KV head 0 in layer 0, the first 8 numbers of each, and the largest error of all KV heads in units of the scale. */
function roundedKeys(
  cache: KvCache,
  { keys }: Conversation,
  sequence: number,
): { rounded: Record<string, RoundedKey>; largestError: number } | undefined {
  const blocks = cache.read(0).key.find((segment) => isPaged(segment));
  if (!blocks?.scale) return undefined;
  const { data, scale, table, blockLength } = blocks;
  const exact = keys[sequence]!;
  const [, Hkv, T, D] = exact.shape as [number, number, number, number];
  const rounded: Record<string, RoundedKey> = {};
  let largestError = 0;
  for (let position = 0; position < Number(blocks.length); position++) {
    const block = table[Math.floor(position / blockLength)]!;
    for (let head = 0; head < Hkv; head++) {
      const numbers = Array.from({ length: D }, (_, d) => ({
        exact: Number(exact.data[(head * T + position) * D + d]),
        code: Number(data.data[((block * Hkv + head) * blockLength + (position % blockLength)) * D + d]),
        scale: Number(scale.data[(block * Hkv + head) * D + d]),
      }));
      for (const { exact, code, scale } of numbers)
        if (scale > 0) largestError = Math.max(largestError, Math.abs(code * scale - exact) / scale);
      if (head > 0) continue;
      const shown = numbers.slice(0, 8);
      rounded[`${sequence}:${position}`] = {
        exact: shown.map((one) => one.exact),
        codes: shown.map(({ code }) => code),
        scales: shown.map((one) => one.scale),
      };
    }
  }
  return { rounded, largestError };
}

/** The most probable token by the exact logits, its probability, and its probability with a cache. */
function nextToken(
  model: Model,
  exact: TypedArray,
  cachedLogits: TypedArray,
): NonNullable<CacheMoment["next"]> {
  const [p, q] = [probabilities(exact), probabilities(cachedLogits)];
  const id = p.indexOf(Math.max(...p));
  const isEqual = exact.every((logit, i) => logit === cachedLogits[i]);
  return {
    text: tokenText(model, id),
    exact: p[id]!,
    probability: q[id]!,
    difference: isEqual ? 0 : p.reduce((sum, each, i) => sum + Math.abs(each - q[i]!), 0) / 2,
  };
}

function probabilities(logits: TypedArray): number[] {
  const list = Array.from(logits, Number);
  const max = Math.max(...list);
  const powers = list.map((logit) => Math.exp(logit - max));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
