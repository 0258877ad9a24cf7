import { type KeyValues, denseSegment } from "@qkv/attention-contract";
import { js, slice, randn } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { KvCache } from "./cache.js";
import { growingCache } from "./growing-cache.js";

const shape = (T: number, D = 4) => [2, 3, T, D]; // [B, Hkv, T, D]

/** Appends T random tokens to both layers. */
function append(cache: KvCache, T: number, seed: number): void {
  for (const layer of [0, 1]) {
    cache.update(layer, randn(shape(T), { seed: seed + layer }), randn(shape(T, 5), { seed: -seed - layer }));
  }
}

/** The keys, values and positions that attention reads. Read from a fork, so that the cache is not changed. */
function content(cache: KvCache): unknown {
  const none = (D: number) => randn(shape(0, D), { seed: 0 });
  return [0, 1].map((layer) => {
    const { key, value } = cache.fork().update(layer, none(4), none(5));
    return [key, value].map((parts) => parts.map((part) => denseSegment(part, 2).toNested()));
  });
}

/** The keys of a cache that stores them in one tensor, `[B, Hkv, S, D]`. */
const keyTensors = ({ key }: KeyValues) => denseSegment(key[0]!, 1);

const chunk = fc.record({ T: fc.integer({ min: 0, max: 5 }), seed: fc.nat(1000) });
const chunks = fc.array(chunk, { minLength: 1, maxLength: 6 });

test("property: reading returns the appended tokens in order", () => {
  fc.assert(
    fc.property(chunks, (chunks) => {
      const cache = growingCache();
      const keys: unknown[][] = [[], [], []];
      for (const { T, seed } of chunks) {
        const key = randn([1, 3, T, 2], { seed });
        const keyValues = cache.update(0, key, key);
        (key.toNested() as unknown[][][])[0]!.forEach((head, h) => keys[h]!.push(...head));
        expect(keyTensors(keyValues).toNested()).toEqual([keys]);
        expect(keyValues.positions).toEqual({ start: 0 });
        expect(cache.length).toBe(keys[0]!.length);
        expect([...cache.lengths]).toEqual([keys[0]!.length]);
      }
    }),
  );
});

test("property: cropping and appending the same tokens again restores the content", () => {
  fc.assert(
    fc.property(chunks, chunk, (chunks, last) => {
      const [neverCropped, cropped] = [growingCache({ numLayers: 2 }), growingCache({ numLayers: 2 })];
      for (const { T, seed } of chunks) {
        append(neverCropped, T, seed);
        append(cropped, T, seed);
      }
      const before = cropped.length;
      append(cropped, last.T, last.seed + 5000);
      // Either form of `crop` removes the last T tokens: a length, or a negative number.
      const negative = before - cropped.length;
      cropped.crop(last.T % 2 || negative === 0 ? before : negative);
      append(neverCropped, last.T, last.seed);
      append(cropped, last.T, last.seed);
      expect(content(cropped)).toEqual(content(neverCropped));
    }),
  );
});

test("forks do not see each other's tokens, and returned views stay valid while tokens are appended", () => {
  const cache = growingCache({ numLayers: 2 });
  append(cache, 3, 1);
  const view = keyTensors(cache.update(0, randn(shape(1), { seed: 9 }), randn(shape(1, 5), { seed: 9 })));
  cache.update(1, randn(shape(1), { seed: 9 }), randn(shape(1, 5), { seed: 9 }));
  const seen = view.toNested();
  append(cache, 9, 50);
  expect(view.toNested()).toEqual(seen);
  cache.crop(4);
  const fork = cache.fork();
  append(fork, 2, 100);
  const forked = content(fork);
  cache.crop(-2);
  append(cache, 2, 200);
  expect(content(fork)).toEqual(forked);
  expect([cache.length, fork.length]).toEqual([4, 6]);
});

test("the sequences of a batch are reordered and repeated", () => {
  const cache = growingCache({ numLayers: 2 });
  append(cache, 2, 1);
  const batch = (cache: KvCache, b: number) => {
    const none = (D: number) => randn([cache.lengths.length, 3, 0, D], { seed: 0 });
    return slice(keyTensors(cache.fork().update(0, none(4), none(5))), 0, b, b + 1).toNested();
  };
  const [first, second] = [batch(cache, 0), batch(cache, 1)];
  cache.reorder([1, 0]);
  expect([batch(cache, 0), batch(cache, 1)]).toEqual([second, first]);
  cache.repeat(2);
  expect([0, 1, 2, 3].map((b) => batch(cache, b))).toEqual([second, second, first, first]);
  cache.reorder([3]);
  expect(batch(cache, 0)).toEqual(first);
});

test("a cache outlives the scope in which it was changed", () => {
  const cache = growingCache({ numLayers: 2 });
  const device = js();
  device.scope(() => append(cache, 2, 1));
  device.scope(() => cache.reorder([1, 0]));
  const before = content(cache);
  device.scope(() => append(cache, 5, 2));
  cache.crop(2);
  expect(content(cache)).toEqual(before);
});

test("`bytes` is the size of the allocated buffers: keys and values of both layers", () => {
  const cache = growingCache({ numLayers: 2 });
  append(cache, 3, 1);
  expect(cache.bytes).toBe(2 * (2 * 3 * 3 * (4 + 5) * 4));
  append(cache, 1, 2); // doubles to 6
  expect(cache.bytes).toBe(2 * (2 * 3 * 6 * (4 + 5) * 4));
  cache.reset();
  expect([cache.bytes, cache.length, cache.stored]).toEqual([0, 0, 0]);
});

test("a restored cache has the saved content, and tokens can be appended to it", () => {
  const cache = growingCache({ numLayers: 2 });
  append(cache, 3, 1);
  const restored = growingCache({ numLayers: 2 });
  // A view into a larger buffer, as `readFile` of Node may return.
  restored.restore(Buffer.concat([Buffer.alloc(8, 0xff), cache.save()]).subarray(8));
  append(cache, 2, 7);
  append(restored, 2, 7);
  expect(content(restored)).toEqual(content(cache));
});

test("a file that does not fit is refused and leaves the cache unchanged", () => {
  const cache = growingCache({ numLayers: 2 });
  append(cache, 3, 1);
  const before = content(cache);
  const saved = cache.save();
  expect(() => cache.restore(saved.subarray(0, saved.length - 1))).toThrow(/saved cache/);
  expect(() => cache.restore(new Uint8Array(100))).toThrow(/saved cache/);
  expect(() => growingCache({ numLayers: 3 }).restore(saved)).toThrow(
    /`saved cache: layers` is "2", expected "3"/,
  );
  expect(content(cache)).toEqual(before);
});

test("bad input is refused, with the fix", () => {
  const cache = growingCache();
  const x = randn([1, 2, 3, 4], { seed: 1 });
  expect(() => growingCache({ numLayers: 0 })).toThrow(/`numLayers` is 0/);
  expect(() => cache.update(1, x, x)).toThrow(/`layer` is 1, expected a layer from 0 to 0/);
  cache.update(0, x, x);
  expect(() => cache.update(0, randn([1, 1, 3, 4], { seed: 1 }), x)).toThrow(
    /`key` has shape \[1, 1, 3, 4\], expected float32 \[1, 2, T, 4\]/,
  );
  expect(() => cache.update(0, x, randn([1, 2, 2, 4], { seed: 1 }))).toThrow(
    /`value` has shape \[1, 2, 2, 4\], expected as many tokens/,
  );
  expect(() => cache.crop(4)).toThrow(/`length` is 4, expected an integer number of tokens from -3 to 3/);
  expect(() => cache.reorder([1])).toThrow(/`ids` is 1/);
  expect(() => cache.repeat(0)).toThrow(/`times` is 0/);
  expect(cache.length).toBe(3);
});
