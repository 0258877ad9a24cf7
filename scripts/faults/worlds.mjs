// Subjects of the fault tests: a small decoder, its caches, and the devices.
import * as caches from "../../packages/kv-cache/dist/index.js";
import { js } from "../../packages/tensor/dist/index.js";
import { decoder } from "../../packages/transformer/dist/index.js";
import { wasm } from "../../packages/wasm/dist/index.js";

const numLayers = 3;

export const model = decoder({
  vocabSize: 96,
  embedDim: 32,
  hiddenDim: 64,
  numLayers,
  numHeads: 4,
  numKvHeads: 2,
  contextLength: 256,
  normEps: 1e-5,
  stopIds: [],
});

/** `count` token ids, the same in each call. */
export const ids = (count, first = 0) =>
  Array.from({ length: count }, (_, i) => ((first + i) * 37 + 11) % 96);

/** Constructors of all kinds of caches that a decoder accepts. */
export const cacheKinds = {
  growing: () => caches.growingCache({ numLayers }),
  unrotatedKeys: () => caches.growingCache({ numLayers, unrotatedKeys: true }),
  static: () => caches.staticCache({ numLayers, maxLength: 256 }),
  rolling: () => caches.rollingCache({ numLayers, windowSize: 24 }),
  paged: () => caches.pagedCache({ numLayers, pages: 40, pageLength: 8 }),
  prefix: () => caches.prefixCache({ numLayers, pages: 40, pageLength: 8 }),
  quantized: () => caches.quantizedCache({ numLayers }),
};

/** Runs `f` on each device of the host. */
export async function onDevices(f) {
  for (const make of [js, () => wasm({ threads: 1 }), () => wasm({ threads: 2 })]) {
    const device = await make();
    try {
      await f(device);
    } finally {
      await device.close?.();
    }
  }
}
