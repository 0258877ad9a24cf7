import { concat, randn, slice } from "@qkv/tensor";
import { expect, test } from "vitest";
import { growingCache } from "./growing-cache.js";
import { latentCache } from "./latent-cache.js";
import { mixedCache } from "./mixed-cache.js";

const [r, ropeDim] = [6, 2];
const keys = (T: number, seed = T) => randn([1, 1, T, r + ropeDim], { seed });
const latents = (key: ReturnType<typeof keys>) => slice(key, 3, 0, r);

test("each token takes the bytes of one latent and one rotary key; values are views of the keys", () => {
  const cache = latentCache({ latentDim: r });
  const key = keys(7);
  cache.update(0, key, latents(key));
  expect(cache.bytes).toBe(7 * (r + ropeDim) * 4);
  const read = cache.read(0);
  const [k, v] = [read.key[0], read.value[0]] as [typeof key, typeof key];
  expect(v.storage).toBe(k.storage);
  expect(v.data).toEqual(latents(key).data);
  expect(k.data).toEqual(key.data);
});

test("a value with equal numbers in other memory is accepted; a different value is refused and changes nothing", () => {
  const cache = latentCache({ latentDim: r });
  const [latent, rotary] = [randn([1, 1, 3, r], { seed: 1 }), randn([1, 1, 3, ropeDim], { seed: 2 })];
  cache.update(0, concat([latent, rotary], 3), latent);
  expect(() => cache.update(0, keys(3), latent)).toThrow(
    'update: `value` is "other numbers", expected the first 6 numbers of `key`, which are stored once.\nFix: give the latent followed by the rotary key as key',
  );
  expect([cache.length, cache.bytes]).toEqual([3, 3 * 8 * 4]);
});

test("a saved file contains each latent once, and caches of other widths or layouts refuse it", () => {
  const cache = latentCache({ latentDim: r });
  const key = keys(200);
  cache.update(0, key, latents(key));
  const file = cache.save();
  expect(file.length).toBeLessThan(200 * 8 * 4 + 600);
  const restored = latentCache({ latentDim: r });
  restored.restore(file);
  expect(restored.read(0)).toEqual(cache.read(0));
  expect(() => growingCache().restore(file)).toThrow('restore: `saved cache: form` is "latents of 6"');
  expect(() => latentCache({ latentDim: 5 }).restore(file)).toThrow('expected "latents of 5"');
  expect(() => mixedCache([latentCache({ latentDim: r })]).restore(file)).toThrow("form");
});

test.each([
  [
    () => latentCache({} as never),
    "latentCache: `latentDim` is undefined, expected an integer number of elements, 1 or more",
  ],
  [
    () => latentCache({ latentDim: 9 }).update(0, keys(1), latents(keys(1))),
    "update: `key` has shape [1, 1, 1, 8], expected [B, 1, T, 9 or more]",
  ],
  [
    () => latentCache({ latentDim: 4 }).update(0, keys(1), latents(keys(1))),
    "update: `value` has shape [1, 1, 1, 6], expected [B, 1, T, latentDim = 4]",
  ],
  [
    () => latentCache({ latentDim: 4 }).discard(0, 1),
    'discard: `cache` is "one whose keys are stored rotated"',
  ],
])("refused: %s", (call, message) => {
  expect(call).toThrow(message);
});
