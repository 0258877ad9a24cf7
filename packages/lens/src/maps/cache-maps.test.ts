import { causal, groupedQuery, h2o, memoryKeys } from "@qkv/attention";
import { evictingCache, growingCache, rollingCache } from "@qkv/kv-cache";
import "@qkv/test-support/allclose";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import { slice, type Tensor } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { expect, test } from "vitest";
import { inFloat64 } from "../lens-model.js";
import { runWithTrace } from "../run-with-trace.js";
import { cacheMaps } from "./cache-maps.js";

const model = randomDecoder("llama", { vocabSize: 13 } as never);
const ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];
const T = ids.length;
const positions = [...ids.keys()];
const [numLayers, heads] = [2, [0, 1, 2, 3]];
/** A map `[1, H, T, T]` by a rule of steps and positions, the same in all heads. */
const expectedMap = (rule: (step: number, position: number) => boolean) => {
  const map = positions.map((t) => positions.map((p) => Number(p <= t && rule(t, p))));
  return [heads.map(() => map)];
};
const at = (map: Tensor, h: number, t: number, p: number) => map.data[(h * T + t) * T + p]!;

test("a window with sinks keeps the sinks and the window", async () => {
  const maps = await cacheMaps(model, ids, {
    cache: () => rollingCache({ windowSize: 3, keepFirst: 2, numLayers }),
  });
  expect(maps.map(({ layer }) => layer)).toEqual([0, 1]);
  for (const { kept, evictions } of maps) {
    expect(kept.toNested()).toEqual(expectedMap((t, p) => p < 2 || t - p < 3));
    expect(evictions).toEqual([5, 6, 7, 8, 9].map((step) => ({ step, position: step - 3, heads })));
  }
});

test("a growing cache keeps all tokens, with the weights of a single pass", async () => {
  const { tensors } = runWithTrace(model, ids, { names: ["weights"] });
  for (const options of [undefined, { cache: () => growingCache({ numLayers }) }]) {
    for (const { layer, kept, weights, evictions } of await cacheMaps(model, ids, options)) {
      expect(kept.toNested()).toEqual(expectedMap(() => true));
      expect(weights).toBeAllclose(tensors[`layers.${layer}.attention.weights`]!, { rtol: 0, atol: 1e-5 });
      expect(evictions).toEqual([]);
    }
  }
});

test.each([
  { keptPer: "layer", groups: [heads] },
  {
    keptPer: "head",
    groups: [
      [0, 1],
      [2, 3],
    ],
  },
] as const)(
  "H2O per $keptPer evicts the least attended, which gets weight 0",
  async ({ keptPer, groups }) => {
    const budget = 4;
    const cache = () => evictingCache({ budget, score: h2o(), keepLast: 2, numLayers, keptPer });
    for (const { kept, weights, evictions } of await cacheMaps(model, ids, { cache })) {
      for (const group of groups) {
        let held: number[] = [];
        const received = positions.map(() => 0);
        for (const t of positions) {
          held.push(t);
          for (const h of group) {
            for (const p of positions) {
              const weight = at(weights, h, t, p);
              received[p]! += weight;
              expect(at(kept, h, t, p)).toBe(Number(held.includes(p)));
              if (held.includes(p)) expect(weight).toBeGreaterThan(0);
              else expect(weight).toBe(0);
            }
          }
          if (held.length <= budget) continue;
          const least = held.slice(0, -2).reduce((a, p) => (received[p]! < received[a]! ? p : a));
          held = held.filter((p) => p !== least);
          const listed = evictions.find(({ step, position }) => step === t + 1 && position === least);
          if (t + 1 < T) expect(listed?.heads).toEqual(expect.arrayContaining([...group]));
        }
      }
      const listed = evictions.reduce((sum, { heads: own }) => sum + own.length, 0);
      expect(listed).toBe(heads.length * (T - budget - 1));
    }
  },
);

test("layers that share keys and values have the same map", async () => {
  const config = { ...model.config, sharedKeyValues: [0, 0] };
  const { init, apply } = decoder(config);
  const cache = () => rollingCache({ windowSize: 2 });
  const maps = await cacheMaps({ config, params: init(1), apply }, ids, { cache });
  expect(maps.map(({ layer }) => layer)).toEqual([0, 1]);
  for (const { kept } of maps) expect(kept.toNested()).toEqual(expectedMap((t, p) => t - p < 2));
});

test("learned memory keys come before the tokens and have no column in a map", async () => {
  const layer = groupedQuery({
    ...{ embedDim: 24, numHeads: 4, numKvHeads: 2, mask: causal() },
    memory: memoryKeys(3),
  });
  const config = { ...model.config, layerTypes: ["full", layer] as never };
  const { init, apply } = decoder(config);
  const own = inFloat64({ config, params: init(1), apply });
  const [, map] = await cacheMaps(own, ids);
  const { tensors } = runWithTrace(own, ids, { names: ["layers.1.attention.weights"] });
  const whole = tensors["layers.1.attention.weights"]!;
  expect(whole.shape).toEqual([1, 4, T, 3 + T]);
  expect(map!.weights).toBeAllclose(slice(whole, 3, 3, 3 + T), { rtol: 0, atol: 1e-12 });
});

test("models and caches without maps are refused", async () => {
  const unrotated = () => growingCache({ numLayers, unrotatedKeys: true });
  await expect(cacheMaps(model, ids, { cache: unrotated })).rejects.toThrow(
    /cacheMaps: `cache` is "unrotated keys", expected a cache of rotated keys/,
  );
  const used = growingCache({ numLayers });
  await cacheMaps(model, ids, { cache: () => used });
  await expect(cacheMaps(model, ids, { cache: () => used })).rejects.toThrow(/expected an empty cache/);
  await expect(cacheMaps(model, [])).rejects.toThrow(
    /cacheMaps: `input` is \[\], expected a text, a list of one token id or more/,
  );
  const both = decoder({ ...model.config, bidirectional: true });
  await expect(cacheMaps({ ...both, params: both.init(1) }, ids)).rejects.toThrow(
    /cacheMaps: `model` is "bidirectional", expected a causal model/,
  );
  const layerTypes = ["none", "none"] as const;
  const { init, apply, config } = decoder({ ...model.config, layerTypes });
  await expect(cacheMaps({ config, params: init(1), apply }, ids)).rejects.toThrow(
    /expected a model with layers that attend/,
  );
});
