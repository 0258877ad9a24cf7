import { tova } from "@qkv/attention";
import {
  evictingCache,
  growingCache,
  latentCache,
  pagedCache,
  prefixCache,
  quantizedCache,
  rollingCache,
  stateCache,
  staticCache,
  type KvCache,
  type PrefixCache,
} from "@qkv/kv-cache";
import type { Model } from "@qkv/transformer";
import type { CacheBudget, CacheKind } from "@qkv/viz/figures/caches-at-work";
import { latentLayers, stateLayers, type RunLayers } from "./own-layers.js";

/** A kind of cache that the figure shows. */
export type KindEntry = Pick<CacheKind, "id" | "name" | "description" | "names"> & {
  budget?: { label: string; tokens: Readonly<Record<CacheBudget, number>> };
  /** Form in which it stores tokens. Default: keys and values. */
  stores?: "latent" | "state";
  /** Layers that write to it. Default: those of the model, which write keys and values. */
  layers?(model: Model): RunLayers;
  /** Creates the cache. `tokens`: the chosen budget, 0 if the kind has none. */
  make(tokens: number, numLayers: number): KvCache;
  /** Looks up the longest cached prefix of a request. Returns its length in tokens. */
  match?(cache: KvCache, ids: readonly number[]): number;
  /** Adds the tokens of a cache to its prefix tree. */
  remember?(cache: KvCache, ids: readonly number[]): void;
};

/** All kinds of cache, in the order of the figure. To add one, add an entry. */
export const kinds: readonly KindEntry[] = [
  {
    id: "growing",
    name: "Growing",
    description: "One buffer for all tokens. When it is full, one of twice the size replaces it.",
    names: { buffer: "buffer", block: "block" },
    make: (_, numLayers) => growingCache({ numLayers }),
  },
  {
    id: "static",
    name: "Static",
    description: "One buffer with room for the longest text, allocated at the first token.",
    names: { buffer: "buffer", block: "block" },
    budget: { label: "Room", tokens: { small: 12, medium: 16, large: 24 } },
    make: (maxLength, numLayers) => staticCache({ maxLength, numLayers }),
  },
  {
    id: "rolling",
    name: "Rolling",
    description: "A ring buffer: the next token overwrites the oldest. The first token always stays.",
    names: { buffer: "ring buffer", block: "block" },
    budget: { label: "Window", tokens: { small: 4, medium: 6, large: 8 } },
    make: (windowSize, numLayers) => rollingCache({ windowSize, keepFirst: 1, numLayers }),
  },
  {
    id: "paged",
    name: "Paged",
    description: "A pool of pages. A page table lists the pages of each sequence.",
    names: { buffer: "buffer", block: "page" },
    budget: { label: "Page", tokens: { small: 2, medium: 4, large: 8 } },
    make: (pageLength, numLayers) => pagedCache({ pages: 48 / pageLength, pageLength, numLayers }),
  },
  {
    id: "prefix",
    name: "Prefix-shared",
    description:
      "A pool of pages, and a tree of the full ones: a request that begins the same way reuses them.",
    names: { buffer: "buffer", block: "page" },
    budget: { label: "Page", tokens: { small: 2, medium: 4, large: 8 } },
    make: (pageLength, numLayers) => prefixCache({ pages: 48 / pageLength, pageLength, numLayers }),
    match: (cache, ids) => (cache as PrefixCache).matchPrefix(ids),
    remember: (cache, ids) => (cache as PrefixCache).insertPrefix(ids),
  },
  {
    id: "quantized",
    name: "Quantized",
    description: "Old tokens become int8 in groups that share scales. The last ones stay float32.",
    names: { buffer: "float32 tail", block: "int8 group" },
    budget: { label: "Group", tokens: { small: 2, medium: 4, large: 8 } },
    make: (groupSize, numLayers) => quantizedCache({ groupSize, residualLength: 2, numLayers }),
  },
  {
    id: "evicting",
    name: "Evicting",
    description:
      "A budget of tokens: the one that the newest query attends to least is evicted (TOVA). The first token always stays.",
    names: { buffer: "buffer", block: "block" },
    budget: { label: "Budget", tokens: { small: 4, medium: 6, large: 8 } },
    make: (budget, numLayers) => evictingCache({ budget, score: tova(), keepFirst: 1, numLayers }),
  },
  {
    id: "latent",
    name: "Latents",
    description:
      "Latent attention (MLA): one latent of 64 numbers and one rotary key of 16 of each token, for the keys and values of all heads.",
    names: { buffer: "buffer of latents", block: "block" },
    stores: "latent",
    layers: latentLayers,
    make: (_, numLayers) => latentCache({ latentDim: 64, numLayers }),
  },
  {
    id: "state",
    name: "State",
    description:
      "A layer with a gated delta rule: a state of 4 matrices of 16 × 16 numbers, whatever the length. Tokens change it, and are not stored.",
    names: { buffer: "state", block: "block" },
    stores: "state",
    layers: stateLayers,
    make: (_, numLayers) => stateCache({ numLayers, checkpoints: 0 }),
  },
];
