import {
  growingCache,
  mixedCache,
  pagedCache,
  prefixCache,
  rollingCache,
  staticCache,
  type KvCache,
} from "@qkv/kv-cache";
import { expect, test } from "vitest";
import { generate } from "./generate.js";
import { decoder } from "../models/decoder.js";
import type { Model } from "../models/model.js";

const [numLayers, contextLength, windowSize] = [2, 40, 8];
const config = {
  ...{ vocabSize: 23, embedDim: 16, hiddenDim: 24, numLayers, numHeads: 4, numKvHeads: 2, contextLength },
  ...{ normEps: 1e-5, stopIds: [] },
};
const sliding = { ...config, layerTypes: ["sliding", "sliding"], window: windowSize } as const;
const caches: Record<string, () => KvCache> = {
  growing: () => growingCache({ numLayers }),
  "growing, unrotated keys": () => growingCache({ numLayers, unrotatedKeys: true }),
  static: () => staticCache({ numLayers, maxLength: contextLength }),
  rolling: () => rollingCache({ numLayers, windowSize }),
  paged: () => pagedCache({ numLayers, pages: 20, pageLength: 3 }),
  prefix: () => prefixCache({ numLayers, pages: 20, pageLength: 3 }),
  mixed: () => {
    const paged = pagedCache({ numLayers: 1, pages: 20, pageLength: 3 });
    return mixedCache([paged, rollingCache({ numLayers: 1, windowSize })]);
  },
};
const prompt = [1, 2, 3, 4, 5];
const maxTokens = 16;

function modelFor(name: string): Model {
  const { init, ...model } = decoder(name === "rolling" || name === "mixed" ? sliding : config);
  return { ...model, params: init(3), tokenizer: undefined };
}

/** Appends generated ids to `tokens` until there are `length`; aborts when there are `end`. */
async function continueTokens(
  model: Model,
  cache: KvCache,
  tokens: number[],
  length: number,
  end = Infinity,
) {
  const controller = new AbortController();
  if (tokens.length === end) controller.abort();
  const options = { cache, maxTokens: length - tokens.length, signal: controller.signal };
  for await (const { id } of generate(model, tokens.slice(cache.length), options)) {
    if (tokens.push(id) === end) controller.abort();
  }
}

test.each(Object.keys(caches))(
  "generation with a %s cache continues equally after an abort at any token",
  async (name) => {
    const model = modelFor(name);
    const expected = prompt.slice();
    await continueTokens(model, caches[name]!(), expected, prompt.length + maxTokens);
    expect(new Set(expected.slice(prompt.length)).size).toBeGreaterThan(2);
    for (let end = prompt.length; end < expected.length; end++) {
      const [cache, tokens] = [caches[name]!(), prompt.slice()];
      await expect(continueTokens(model, cache, tokens, expected.length, end)).rejects.toThrow(/abort/);
      expect(tokens).toEqual(expected.slice(0, end));
      await continueTokens(model, cache, tokens, expected.length);
      expect(tokens).toEqual(expected);
    }
  },
);
