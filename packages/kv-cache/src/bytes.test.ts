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

/** A plain device that counts the buffers of caches, which are the storages that are made resident, and their bytes. */
function countingDevice(): { device: Device; allocated: () => { buffers: number; bytes: number } } {
  const plain = js();
  const resident = new Set<Storage>();
  const device: Device = {
    ...plain,
    retain(storage) {
      resident.add(storage);
      plain.retain(storage);
    },
  };
  const allocated = () => ({
    buffers: resident.size,
    bytes: [...resident].reduce((sum, { dtype, length }) => sum + length * bytesPerElement(dtype), 0),
  });
  return { device, allocated };
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

test.each(kinds)("`bytes` equals the bytes allocated: %s", (_, make) => {
  const { device, allocated } = countingDevice();
  const cache = make();
  expect(cache.bytes).toBe(0);
  append(cache, device, 5, 1);
  expect(cache.bytes).toBe(allocated().bytes);
});

test.each(kinds.slice(1))("after the first update no buffer is allocated: %s", (_, make) => {
  const { device, allocated } = countingDevice();
  const cache = make();
  append(cache, device, 1, 1);
  const { buffers } = allocated();
  for (let t = 0; t < 40; t++) append(cache, device, 1, t);
  if (cache.stored > 30) cache.crop(-3);
  append(cache, device, 1, 9);
  expect(allocated().buffers).toBe(buffers);
  expect(cache.bytes).toBe(allocated().bytes);
});

test("golden: bytes of a quantized cache (codes, scales, floats) and of a growing one (doubled buffers)", () => {
  const [Hkv, D, Dv, G, R] = [2, 4, 3, 8, 4];
  const { device, allocated } = countingDevice();
  const cache = quantizedCache({ groupSize: G, residualLength: R });
  const T = 4 * G + R;
  const x = (D: number) => tensor(randn([1, Hkv, T, D], { seed: D }).data, { shape: [1, Hkv, T, D], device });
  cache.update(0, x(D), x(Dv));
  // The buffer of blocks grows from one to two to four; the smaller buffers are released.
  const group = Hkv * (G * (D + Dv) + 4 * D + 4 * G);
  expect(cache.bytes).toBe(4 * group + Hkv * (G + R) * (D + Dv) * 4);
  expect(cache.bytes).toBeLessThan(allocated().bytes);

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

test("forks share buffers until one of them is written", () => {
  const { device, allocated } = countingDevice();
  const cache = growingCache({ numLayers: 2 });
  append(cache, device, 8, 1);
  append(cache, device, 1, 2); // room for 16
  const before = allocated().buffers;
  const fork = cache.fork();
  expect(allocated().buffers).toBe(before);
  append(fork, device, 1, 3);
  expect(allocated().buffers).toBe(before + 4); // the fork's own keys and values, two layers
  append(fork, device, 1, 4);
  append(cache, device, 1, 5);
  expect(allocated().buffers).toBe(before + 4); // the original cache is again the only owner of its buffers
});
