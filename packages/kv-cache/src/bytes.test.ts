import { bytesPerElement, js, randn, tensor, type Device, type Storage } from "@qkv/tensor";
import { expect, test } from "vitest";
import type { KvCache } from "./cache.js";
import { growingCache } from "./growing-cache.js";
import { mixedCache } from "./mixed-cache.js";
import { pagedCache } from "./paged-cache.js";
import { prefixCache } from "./prefix-cache.js";
import { quantizedCache } from "./quantized-cache.js";
import { rollingCache } from "./rolling-cache.js";
import { staticCache } from "./static-cache.js";

/** The plain device, with the bytes of what was taken out of scopes to stay: the buffers of caches. */
function watched(): { device: Device; made: () => { buffers: number; bytes: number } } {
  const plain = js();
  const kept = new Set<Storage>();
  const device: Device = {
    ...plain,
    retain(storage) {
      kept.add(storage);
      plain.retain(storage);
    },
  };
  const made = () => ({
    buffers: kept.size,
    bytes: [...kept].reduce((sum, { dtype, length }) => sum + length * bytesPerElement(dtype), 0),
  });
  return { device, made };
}

const kinds: [string, () => KvCache][] = [
  ["growing", () => growingCache({ numLayers: 2 })],
  ["static", () => staticCache({ numLayers: 2, maxLength: 100 })],
  ["rolling", () => rollingCache({ numLayers: 2, windowSize: 20, keepFirst: 3, room: 2 })],
  ["paged", () => pagedCache({ numLayers: 2, pages: 10 })],
  ["prefix", () => prefixCache({ numLayers: 2, pages: 10 })],
  ["quantized, all of it floats", () => quantizedCache({ numLayers: 2, residualLength: 90, groupSize: 8 })],
  ["mixed", () => mixedCache([pagedCache({ pages: 12 }), rollingCache({ windowSize: 9, room: 4 })])],
];

const append = (cache: KvCache, device: Device, T: number, seed: number) => {
  for (const layer of [0, 1]) {
    const on = (D: number) =>
      tensor(randn([1, 2, T, D], { seed: seed + D }).data, { shape: [1, 2, T, D], device });
    cache.update(layer, on(4), on(3));
  }
};

test.each(kinds)("bytes reported are bytes allocated: %s", (_, make) => {
  const { device, made } = watched();
  const cache = make();
  expect(cache.bytes).toBe(0);
  append(cache, device, 5, 1);
  expect(cache.bytes).toBe(made().bytes);
});

test.each(kinds.slice(1))("once made, nothing more is: %s", (_, make) => {
  const { device, made } = watched();
  const cache = make();
  append(cache, device, 1, 1);
  const { buffers } = made();
  for (let t = 0; t < 40; t++) append(cache, device, 1, t);
  if (cache.stored > 30) cache.crop(-3);
  append(cache, device, 1, 9);
  expect(made().buffers).toBe(buffers);
  expect(cache.bytes).toBe(made().bytes);
});

test("int8: bytes of codes, scales and floats; a growing cache: of the doubled buffers", () => {
  const [Hkv, D, Dv, G, R] = [2, 4, 3, 8, 4];
  const { device, made } = watched();
  const cache = quantizedCache({ groupSize: G, residualLength: R });
  const T = 4 * G + R;
  const x = (D: number) => tensor(randn([1, Hkv, T, D], { seed: D }).data, { shape: [1, Hkv, T, D], device });
  cache.update(0, x(D), x(Dv));
  // Three blocks are made one, two and four at a time; what was outgrown is let go.
  const group = Hkv * (G * (D + Dv) + 4 * D + 4 * G);
  expect(cache.bytes).toBe(4 * group + Hkv * (G + R) * (D + Dv) * 4);
  expect(cache.bytes).toBeLessThan(made().bytes);

  const growing = growingCache();
  growing.update(0, x(D), x(Dv));
  expect(growing.bytes).toBe(Hkv * T * (D + Dv) * 4);
  const one = randn([1, Hkv, 1, D], { seed: 1 });
  growing.update(
    0,
    tensor(one.data, { shape: one.shape, device }),
    tensor(one.data.slice(0, Hkv * Dv), { shape: [1, Hkv, 1, Dv], device }),
  );
  expect(growing.bytes).toBe(Hkv * 2 * T * (D + Dv) * 4);
});

test("forks share bytes until one of them writes", () => {
  const { device, made } = watched();
  const cache = growingCache({ numLayers: 2 });
  append(cache, device, 8, 1);
  append(cache, device, 1, 2); // room for 16
  const before = made().buffers;
  const fork = cache.fork();
  expect(made().buffers).toBe(before);
  append(fork, device, 1, 3);
  expect(made().buffers).toBe(before + 4); // the fork's own keys and values, two layers
  append(fork, device, 1, 4);
  append(cache, device, 1, 5);
  expect(made().buffers).toBe(before + 4); // the cache is alone with its own again
});
