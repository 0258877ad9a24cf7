/// <reference types="node" />
// The trained model of the reference data with each kind of cache: the same greedy tokens, without computing cached tokens again.
import {
  growingCache,
  mixedCache,
  pagedCache,
  prefixCache,
  quantizedCache,
  rollingCache,
  staticCache,
  type KvCache,
} from "@qkv/kv-cache";
import { beforeAll, describe, expect, test } from "vitest";
import { referenceData } from "../../../conformance/reference-data.mjs";
import { generate } from "./generation/generate.js";
import { load } from "./load.js";
import type { Model } from "./models/model.js";
import { casesByTier } from "../../../scripts/tier.mjs";

type Case = { prompt: string; greedy_tokens: number[] };

const folder = "models/stories260K";
const cases: Case[] = referenceData.json(`${folder}/refs.json`).cases;

const [numLayers, context] = [5, 512];
const exact: [string, () => KvCache][] = [
  ["growing", () => growingCache({ numLayers })],
  ["growing, unrotated keys", () => growingCache({ numLayers, unrotatedKeys: true })],
  ["static", () => staticCache({ numLayers, maxLength: context })],
  ["rolling", () => rollingCache({ numLayers, windowSize: context })],
  ["paged", () => pagedCache({ numLayers, pages: 32 })],
  ["paged, pages of 5", () => pagedCache({ numLayers, pages: 110, pageLength: 5 })],
  ["prefix", () => prefixCache({ numLayers, pages: 32 })],
  [
    "mixed",
    () => {
      const paged = pagedCache({ numLayers: 3, pages: 32 });
      const rolling = rollingCache({ numLayers: 2, windowSize: context });
      return mixedCache([paged, rolling, paged, rolling, paged]);
    },
  ],
];

/** In the first tier, a cache whose pages end in the middle of a prompt. */
const tested = casesByTier(exact, ([name]) => name === "paged, pages of 5");

describe("stories260K", () => {
  let model: Model;
  beforeAll(async () => {
    const path = (name: string) => referenceData.path(`${folder}/${name}`);
    model = await load(path("stories260K.bin"), { tokenizer: path("tok512.bin") });
  });

  /** Greedy tokens after a prompt, and the number of tokens that the model processed. */
  async function greedy(prompt: string | readonly number[], maxTokens: number, cache: KvCache) {
    let computed = 0;
    const countingModel: Model = {
      ...model,
      apply(params, ids, options) {
        computed += "shape" in ids ? ids.shape[1]! : ids.length;
        return model.apply(params, ids, options);
      },
    };
    const ids: number[] = [];
    for await (const { id } of generate(countingModel, prompt, { maxTokens, cache })) ids.push(id);
    return { ids, computed };
  }

  test.each(tested)("greedy tokens with a %s cache equal those of llama2.c", async (_, createCache) => {
    for (const { prompt, greedy_tokens } of casesByTier([1, 5, 8], (i) => i === 1).map((i) => cases[i]!)) {
      const cache = createCache();
      const { ids } = await greedy(prompt, greedy_tokens.length, cache);
      expect(ids).toEqual(greedy_tokens);
      expect(cache.stored).toBe(cache.length);
    }
  });

  test.each(tested)("a restored %s cache continues with the same tokens", async (_, createCache) => {
    const { prompt, greedy_tokens } = cases[1]!;
    const cache = createCache();
    const { ids: first } = await greedy(prompt, 20, cache);
    const restored = createCache();
    restored.restore(cache.save());
    const { ids: rest } = await greedy(first.slice(-1), greedy_tokens.length - 20, restored);
    expect([...first, ...rest]).toEqual(greedy_tokens);
  });

  test("with an int8 cache, the first 12 greedy tokens are the same", async () => {
    const { prompt, greedy_tokens } = cases[1]!;
    const { ids } = await greedy(prompt, 24, quantizedCache({ numLayers, residualLength: 8, groupSize: 8 }));
    expect(ids.slice(0, 12)).toEqual(greedy_tokens.slice(0, 12));
  });

  test("a prefix cache with 400 shared tokens saves exactly 400 tokens, and the greedy tokens are the same", async () => {
    // A prompt of 410 tokens, and a second one with another end.
    const first = [1, ...cases.flatMap(({ greedy_tokens }) => greedy_tokens)].slice(0, 410);
    const second = [...first.slice(0, 405), ...model.tokenizer!.encode("Lily was happy").slice(1)];

    const cache = prefixCache({ numLayers, pages: 64, pageLength: 16 });
    expect(cache.matchPrefix(first)).toBe(0);
    await greedy(first, 1, cache);
    cache.insertPrefix(first);

    const prefixLength = cache.matchPrefix(second);
    expect(prefixLength).toBe(400);
    const cached = await greedy(second.slice(prefixLength), 20, cache);
    const uncached = await greedy(second, 20, growingCache({ numLayers }));
    expect(cached.ids).toEqual(uncached.ids);
    expect(uncached.computed - cached.computed).toBe(400);
  });

  test("a rolling cache with attention sinks and unrotated keys generates beyond the context length", async () => {
    const cache = rollingCache({ numLayers, windowSize: 60, keepFirst: 4, unrotatedKeys: true });
    const ids: number[] = [...model.tokenizer!.encode("Once upon a time")];
    // Without stop ids, generation continues after the end of a story.
    const endless: Model = { ...model, config: { ...model.config, stopIds: [] } };
    for await (const { id } of generate(endless, [...ids], { maxTokens: 600, cache })) ids.push(id);
    expect([cache.length, cache.stored]).toEqual([ids.length - 1, 64]);
    // After 512 tokens, the text still consists of words and complete sentences.
    const late = model.tokenizer!.decode(ids.slice(560));
    expect(late).toMatch(/[a-z]{2,} [a-z]{2,}.*\./s);
  });
});
