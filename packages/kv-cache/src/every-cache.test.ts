/// <reference types="node" />
import { expect, test } from "vitest";
import { checkAgainstModel, layers, smallNorms, type Kind } from "@qkv/test-support/cache-model";
import { runs } from "../../../scripts/tier.mjs";
import type { KvCache } from "./cache.js";
import { evictingCache } from "./evicting-cache.js";
import { growingCache } from "./growing-cache.js";
import { latentCache } from "./latent-cache.js";
import { mixedCache } from "./mixed-cache.js";
import { pagedCache } from "./paged-cache.js";
import type { PagedCache } from "./create-paged-cache.js";
import { prefixCache } from "./prefix-cache.js";
import { quantizedCache } from "./quantized-cache.js";
import { sharedCache } from "./shared-cache.js";
import { stateCache } from "./state-cache.js";
import { rollingCache } from "./rolling-cache.js";
import { staticCache } from "./static-cache.js";

// `npm run nightly caches` asks for 10,000.
const sequences = Number(process.env["QKV_SEQUENCES"] ?? runs(300));

const pools = new WeakMap<KvCache, PagedCache>();
const ring = { window: 4, first: 0, room: 1 };
const kept = { window: 3, first: 2, room: 3 };
const kinds: Kind[] = [
  { name: "growing", make: () => growingCache({ numLayers: layers }) },
  { name: "growing, unrotated keys", make: () => growingCache({ numLayers: layers, unrotatedKeys: true }) },
  // Each number is rounded once: half a unit in the last place.
  {
    name: "growing, float16",
    make: () => growingCache({ numLayers: layers, dtype: "float16" }),
    tolerance: 2 ** -11,
  },
  {
    name: "static, bfloat16",
    make: () => staticCache({ numLayers: layers, maxLength: 12, dtype: "bfloat16" }),
    maxLength: 12,
    tolerance: 2 ** -8,
  },
  { name: "static", make: () => staticCache({ numLayers: layers, maxLength: 12 }), maxLength: 12 },
  { name: "rolling", make: () => rollingCache({ numLayers: layers, windowSize: 4 }), rolling: ring },
  {
    name: "rolling, first tokens kept, room to crop",
    make: () => rollingCache({ numLayers: layers, windowSize: 3, keepFirst: 2, room: 3 }),
    rolling: kept,
  },
  {
    name: "rolling, unrotated keys",
    make: () =>
      rollingCache({ numLayers: layers, windowSize: 3, keepFirst: 2, room: 3, unrotatedKeys: true }),
    rolling: kept,
  },
  {
    name: "rolling, float16",
    make: () => rollingCache({ numLayers: layers, windowSize: 3, keepFirst: 2, room: 3, dtype: "float16" }),
    rolling: kept,
    tolerance: 2 ** -11,
  },
  { name: "paged", make: () => pagedCache({ numLayers: layers, pages: 24, pageLength: 3 }) },
  {
    name: "paged, bfloat16",
    make: () => pagedCache({ numLayers: layers, pages: 24, pageLength: 3, dtype: "bfloat16" }),
    tolerance: 2 ** -8,
  },
  {
    name: "paged, one token a page",
    make: () => pagedCache({ numLayers: layers, pages: 60, pageLength: 1 }),
  },
  { name: "prefix", make: () => prefixCache({ numLayers: layers, pages: 7, pageLength: 2 }) },
  {
    name: "prefix, float16",
    make: () => prefixCache({ numLayers: layers, pages: 7, pageLength: 2, dtype: "float16" }),
    tolerance: 2 ** -11,
  },
  {
    name: "prefix: states beside pages",
    make: () =>
      prefixCache({ pages: 8, pageLength: 2, layers: ["paged", stateCache({ checkpoints: 0 }), "paged"] }),
    states: { layers: [1], checkpoints: 0 },
  },
  {
    name: "prefix: states beside pages, the tree holds two of them",
    make: () => {
      const states = stateCache({ numLayers: 2, checkpoints: 0 });
      return prefixCache({ pages: 24, pageLength: 2, layers: ["paged", states, states], checkpoints: 2 });
    },
    states: { layers: [1, 2], checkpoints: 0 },
  },
  {
    // The error is at most half the scale, each time that a number is quantized.
    name: "quantized",
    make: () => quantizedCache({ numLayers: layers, groupSize: 3, residualLength: 2 }),
    tolerance: 8 * (0.5 / 127),
  },
  {
    name: "mixed: pages, a window, everything",
    make: () => {
      const paged = pagedCache({ pages: 200, pageLength: 2 });
      const mixed = mixedCache([
        paged,
        rollingCache({ windowSize: 3, keepFirst: 2, room: 3 }),
        growingCache(),
      ]);
      pools.set(mixed, paged);
      return mixed;
    },
    pool: (mixed) => pools.get(mixed)!,
    rolling: kept,
    rollingLayers: [1],
  },
  {
    name: "mixed: a cache with two of the layers",
    make: () => {
      const local = rollingCache({ windowSize: 4, numLayers: 2 });
      return mixedCache([local, staticCache({ maxLength: 400 }), local]);
    },
    rolling: ring,
    rollingLayers: [0, 2],
  },
  {
    name: "states",
    make: () => stateCache({ numLayers: layers, checkpoints: 3 }),
    states: { layers: [0, 1, 2], checkpoints: 3 },
  },
  {
    name: "states without checkpoints",
    make: () => stateCache({ numLayers: layers, checkpoints: 0 }),
    states: { layers: [0, 1, 2], checkpoints: 0 },
  },
  {
    name: "latent",
    make: () => latentCache({ numLayers: layers, latentDim: 3 }),
    latent: [0, 1, 2],
  },
  {
    name: "latent, bfloat16",
    make: () => latentCache({ numLayers: layers, latentDim: 3, dtype: "bfloat16" }),
    latent: [0, 1, 2],
    tolerance: 2 ** -8,
  },
  {
    name: "mixed: latents, states, everything",
    make: () => mixedCache([latentCache({ latentDim: 3 }), stateCache({ checkpoints: 1 }), growingCache()]),
    latent: [0],
    states: { layers: [1], checkpoints: 1 },
  },
  {
    name: "shared: the last layer reads the first",
    make: () => sharedCache(growingCache({ numLayers: 2 }), [0, 1, 0]),
    reads: [0, 1, 0],
  },
  {
    name: "shared: a state and a window, of which the last layer reads the window",
    make: () => sharedCache(mixedCache([stateCache(), rollingCache({ windowSize: 4 })]), [0, 1, 1]),
    reads: [0, 1, 1],
    states: { layers: [0], checkpoints: 1 },
    rolling: ring,
    rollingLayers: [1],
  },
  {
    name: "evicting",
    make: () => evictingCache({ numLayers: layers, budget: 5, score: smallNorms }),
    evicting: { layers: [0, 1, 2], budget: 5, first: 0, last: 1 },
  },
  {
    name: "evicting, first and last tokens kept, room for two",
    make: () =>
      evictingCache({
        ...{ numLayers: layers, budget: 6, keepFirst: 2, keepLast: 3, room: 2 },
        score: smallNorms,
      }),
    evicting: { layers: [0, 1, 2], budget: 6, first: 2, last: 3 },
  },
  {
    name: "evicting, each head its own tokens",
    make: () =>
      evictingCache({
        ...{ numLayers: layers, budget: 6, keepFirst: 1, keepLast: 2, room: 2, keptPer: "head" },
        score: smallNorms,
      }),
    evicting: { layers: [0, 1, 2], budget: 6, first: 1, last: 2, perHead: true },
  },
  {
    name: "mixed: evicting, states, latents",
    make: () =>
      mixedCache([
        evictingCache({ budget: 4, keepFirst: 1, score: smallNorms }),
        stateCache({ checkpoints: 2 }),
        latentCache({ latentDim: 3 }),
      ]),
    evicting: { layers: [0], budget: 4, first: 1, last: 1 },
    states: { layers: [1], checkpoints: 2 },
    latent: [2],
  },
  {
    name: "mixed: states beside pages and a window",
    make: () => {
      const paged = pagedCache({ pages: 200, pageLength: 2 });
      const window = rollingCache({ windowSize: 3, keepFirst: 2, room: 3 });
      const mixed = mixedCache([stateCache({ checkpoints: 2 }), paged, window]);
      pools.set(mixed, paged);
      return mixed;
    },
    pool: (mixed) => pools.get(mixed)!,
    rolling: kept,
    rollingLayers: [2],
    states: { layers: [0], checkpoints: 2 },
  },
];

test.each(kinds)("model: any sequence of operations on a cache and its forks: $name", (kind) => {
  checkAgainstModel(kind, sequences);
  expect.hasAssertions();
});
