/// <reference types="node" />
// The trained model of the reference data through every cache that holds what it needs: the same tokens, and tokens that
// need not be computed again.
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

describe("stories260K", () => {
  let model: Model;
  beforeAll(async () => {
    const path = (name: string) => referenceData.path(`${folder}/${name}`);
    model = await load(path("stories260K.bin"), { tokenizer: path("tok512.bin") });
  });

  /** The continuation, and how many tokens the model was given for it. */
  async function continued(prompt: string | readonly number[], maxTokens: number, cache: KvCache) {
    let computed = 0;
    const counted: Model = {
      ...model,
      apply(params, ids, options) {
        computed += "shape" in ids ? ids.shape[1]! : ids.length;
        return model.apply(params, ids, options);
      },
    };
    const ids: number[] = [];
    for await (const { id } of generate(counted, prompt, { maxTokens, cache })) ids.push(id);
    return { ids, computed };
  }

  test.each(exact)("continues as llama2.c does, token for token: %s", async (_, make) => {
    for (const { prompt, greedy_tokens } of [1, 5, 8].map((i) => cases[i]!)) {
      const cache = make();
      const { ids } = await continued(prompt, greedy_tokens.length, cache);
      expect(ids).toEqual(greedy_tokens);
      expect(cache.stored).toBe(cache.length);
    }
  });

  test.each(exact)("restored in the middle, it goes on with the same tokens: %s", async (_, make) => {
    const { prompt, greedy_tokens } = cases[1]!;
    const cache = make();
    const { ids: first } = await continued(prompt, 20, cache);
    const restored = make();
    restored.restore(cache.save());
    const { ids: rest } = await continued(first.slice(-1), greedy_tokens.length - 20, restored);
    expect([...first, ...rest]).toEqual(greedy_tokens);
  });

  test("int8 begins the same story", async () => {
    const { prompt, greedy_tokens } = cases[1]!;
    const { ids } = await continued(
      prompt,
      24,
      quantizedCache({ numLayers, residualLength: 8, groupSize: 8 }),
    );
    expect(ids.slice(0, 12)).toEqual(greedy_tokens.slice(0, 12));
  });

  test("a second turn that shares 400 tokens computes exactly 400 fewer, and says the same", async () => {
    // A text of 410 tokens, and another question about it.
    const first = [1, ...cases.flatMap(({ greedy_tokens }) => greedy_tokens)].slice(0, 410);
    const second = [...first.slice(0, 405), ...model.tokenizer!.encode("Lily was happy").slice(1)];

    const cache = prefixCache({ numLayers, pages: 64, pageLength: 16 });
    expect(cache.matchPrefix(first)).toBe(0);
    await continued(first, 1, cache);
    cache.insertPrefix(first);

    const known = cache.matchPrefix(second);
    expect(known).toBe(400);
    const shared = await continued(second.slice(known), 20, cache);
    const alone = await continued(second, 20, growingCache({ numLayers }));
    expect(shared.ids).toEqual(alone.ids);
    expect(alone.computed - shared.computed).toBe(400);
  });

  test("a stream goes on beyond the context, with the first tokens kept and keys turned by their place", async () => {
    const cache = rollingCache({ numLayers, windowSize: 60, keepFirst: 4, unrotatedKeys: true });
    const ids: number[] = [...model.tokenizer!.encode("Once upon a time")];
    // The model ends its stories; a stream takes the end for a token like others.
    const endless: Model = { ...model, config: { ...model.config, stopIds: [] } };
    for await (const { id } of generate(endless, [...ids], { maxTokens: 600, cache })) ids.push(id);
    expect([cache.length, cache.stored]).toEqual([ids.length - 1, 64]);
    // Beyond 512 tokens it still speaks: its sentences end.
    const late = model.tokenizer!.decode(ids.slice(560));
    expect(late).toMatch(/[a-z]{2,} [a-z]{2,}.*\./s);
  });
});
