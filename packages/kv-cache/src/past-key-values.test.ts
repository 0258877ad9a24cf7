import type { EvictionScore } from "@qkv/attention-contract";
import { cast, randn, reshape, slice, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { evictingCache } from "./evicting-cache.js";
import { growingCache } from "./growing-cache.js";
import { pagedCache } from "./paged-cache.js";
import { quantizedCache } from "./quantized-cache.js";
import { rollingCache } from "./rolling-cache.js";
import { fromPastKeyValues, toPastKeyValues } from "./past-key-values.js";

/** Random keys `[2, 3, T, 4]` and values `[2, 3, T, 5]`. */
const keyAndValue = (T: number, seed: number) =>
  [randn([2, 3, T, 4], { seed }), randn([2, 3, T, 5], { seed: -seed })] as [Tensor, Tensor];
const caches = [
  () => growingCache({ numLayers: 2 }),
  () => pagedCache({ numLayers: 2, pages: 20, pageLength: 3 }),
];

test.each(caches)("keys and values exported from one cache continue in another (%#)", (make) => {
  const cache = make();
  for (const layer of [0, 1]) cache.update(layer, ...keyAndValue(7, layer + 1));
  const past = toPastKeyValues(cache);
  expect(Object.keys(past)).toEqual(
    [0, 1].flatMap((layer) => ["key", "value"].map((side) => `past_key_values.${layer}.${side}`)),
  );
  expect(past["past_key_values.1.key"]).toMatchObject({ type: "float32", dims: [2, 3, 7, 4] });
  expect(past["past_key_values.1.key"]!.data).toEqual(keyAndValue(7, 2)[0].data);
  expect(past["past_key_values.0.value"]!.data).toEqual(keyAndValue(7, 1)[1].data);

  const other = growingCache({ numLayers: 2 });
  fromPastKeyValues(other, past);
  expect(other.save()).toEqual(cache.save());
  // The runtime returns all tokens; those that the cache already has are not appended again.
  for (const layer of [0, 1]) other.update(layer, ...keyAndValue(2, layer + 5));
  fromPastKeyValues(cache, toPastKeyValues(other));
  expect([cache.length, cache.save()]).toEqual([9, other.save()]);
});

test("keys and values stored in 16 bits are exported in float32", () => {
  const cache = rollingCache({ windowSize: 8, dtype: "float16" });
  const [key, value] = keyAndValue(7, 1);
  cache.update(0, key, value);
  const past = toPastKeyValues(cache);
  expect(past["past_key_values.0.key"]!.data).toEqual(cast(cast(key, "float16"), "float32").data);
});

test("tensors are created by `makeTensor` and named by `names`", () => {
  class Own {
    constructor(
      readonly type: string,
      readonly data: Float32Array,
      readonly dims: readonly number[],
    ) {}
  }
  const cache = growingCache();
  cache.update(0, ...keyAndValue(1, 1));
  const past = toPastKeyValues(
    cache,
    (...all) => new Own(...all),
    (layer, side) => `past_${side}_${layer}`,
  );
  expect(past["past_key_0"]).toBeInstanceOf(Own);
  const again = growingCache();
  fromPastKeyValues(again, past, (layer, side) => `past_${side}_${layer}`);
  expect(again.save()).toEqual(cache.save());
});

test.each(["layer", "head"] as const)(
  "tokens kept per %s are exported in order of position, without free slots",
  (keptPer) => {
    const score: EvictionScore = {
      ...{ name: "first numbers", queryWindow: 0, accumulates: false },
      score: ({ key }) => reshape(slice(key, 3, 0, 1), key.shape.slice(0, 3)),
    };
    const cache = evictingCache({ budget: 4, room: 2, score, keptPer });
    const all = keyAndValue(9, 1);
    for (let t = 0; t < 9; t++)
      cache.update(0, ...(all.map((x) => slice(x, 2, t, t + 1)) as [Tensor, Tensor]));
    const past = toPastKeyValues(cache);
    for (const [side, x] of [
      ["key", all[0]],
      ["value", all[1]],
    ] as const) {
      const { data, dims } = past[`past_key_values.0.${side}`]!;
      expect(dims).toEqual([2, 3, 4, x.shape[3]]);
      // By definition: the last token, and the three others with the largest first number of the key.
      const key = all[0].toNested() as number[][][][];
      const rows = (x.toNested() as number[][][][]).map((heads, b) =>
        heads.map((own, h) => {
          const score = (t: number) =>
            keptPer === "head"
              ? key[b]![h]![t]![0]!
              : [0, 1, 2].reduce((sum, g) => sum + key[b]![g]![t]![0]!, 0);
          const others = [0, 1, 2, 3, 4, 5, 6, 7].sort((a, b) => score(b) - score(a)).slice(0, 3);
          return [...others.sort((a, b) => a - b), 8].map((t) => own[t]!);
        }),
      );
      expect([...(data as Float32Array)]).toEqual(rows.flat(3));
    }
  },
);

test("a ring buffer is exported in order of position, and int8 codes are dequantized", () => {
  const [ring, int8] = [rollingCache({ windowSize: 4 }), quantizedCache({ groupSize: 2, residualLength: 1 })];
  for (let t = 0; t < 10; t++) for (const cache of [ring, int8]) cache.update(0, ...keyAndValue(1, t));
  const last = toPastKeyValues(ring)["past_key_values.0.key"]!;
  expect(last.dims).toEqual([2, 3, 3, 4]);
  for (const [i, t] of [7, 8, 9].entries())
    expect((last.data as Float32Array).slice(4 * i, 4 * i + 4)).toEqual(
      keyAndValue(1, t)[0].data.slice(0, 4),
    );
  const near = toPastKeyValues(int8)["past_key_values.0.key"]!.data as Float32Array;
  expect(Math.abs(near[0]! - keyAndValue(1, 0)[0].data[0]!)).toBeLessThan(0.02);
});

test("what cannot be exported or imported is refused, with the fix, and nothing changes", () => {
  const cache = growingCache();
  expect(() => toPastKeyValues(cache)).toThrow(/`cache` is "empty".*\nFix: run the prompt first/);
  cache.update(0, ...keyAndValue(3, 1));
  const past = toPastKeyValues(cache);
  cache.crop([3, 1]);
  expect(() => toPastKeyValues(cache)).toThrow(/"batches of 3, 1 tokens"/);
  cache.crop(0);
  const [key, value] = ["past_key_values.0.key", "past_key_values.0.value"] as const;
  expect(() => fromPastKeyValues(cache, { [key]: past[key]! })).toThrow(
    /`past_key_values.0.value` is undefined/,
  );
  const half = { type: "float16", data: new Uint16Array(60), dims: [2, 3, 3, 4] };
  expect(() => fromPastKeyValues(cache, { ...past, [value]: half })).toThrow(
    /is "float16", expected float32 on the CPU/,
  );
  fromPastKeyValues(cache, past);
  cache.update(0, ...keyAndValue(1, 2));
  expect(() => fromPastKeyValues(cache, past)).toThrow(/expected \[B, Hkv, 4 tokens or more, D\]/);
  expect(cache.length).toBe(4);
});
