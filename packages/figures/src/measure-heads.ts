import { attention } from "@qkv/attention";
import { latentCache, staticCache } from "@qkv/kv-cache";
import { randn, slice } from "@qkv/tensor";
import type { HeadsKind, HeadsTime } from "@qkv/viz/figures/heads-and-keys";
import { wasm } from "@qkv/wasm";

/** Heads of one layer, and the vectors that each kind stores of a token. */
export type HeadsToMeasure = {
  numHeads: number;
  headDim: number;
  kinds: readonly Pick<HeadsKind, "numKvHeads" | "parts">[];
};

const maxBytes = 32 * 2 ** 20; // of the largest cache
const rounds = 8;

/**
 * Measures one token of each kind on this device: its key and value are written to the cache, and its query heads attend
 * to all cached tokens. Latents are read in place, by absorbed queries as wide as a latent and its rotary key. One layer,
 * float32, the `wasm` device on one thread. The kinds are measured in turn, so that other load on the device affects all of
 * them, and the result is the shortest time.
 *
 * @throws {DOMException} If `signal` is aborted.
 */
export async function measureHeads(
  { numHeads, headDim, kinds }: HeadsToMeasure,
  { signal }: { signal?: AbortSignal } = {},
): Promise<HeadsTime> {
  signal?.throwIfAborted();
  const tokens = 2 ** Math.floor(Math.log2(maxBytes / (2 * numHeads * headDim * 4)));
  const device = await wasm({ threads: 1 });
  try {
    const steps = kinds.map(({ numKvHeads, parts }) => {
      const latentDim = parts.find(({ name }) => name === "latent")?.size;
      const keyDim = latentDim === undefined ? headDim : parts.reduce((sum, { size }) => sum + size, 0);
      const query = randn([1, numHeads, 1, keyDim], { seed: 1 }).to(device);
      const key = randn([1, numKvHeads, tokens, keyDim], { seed: 2 }).to(device);
      const value = latentDim === undefined ? key : slice(key, 3, 0, latentDim);
      const part = (from: number, to: number) =>
        [slice(key, 2, from, to), slice(value, 2, from, to)] as const;
      const cache = latentDim === undefined ? staticCache({ maxLength: tokens }) : latentCache({ latentDim });
      cache.update(0, ...part(0, tokens - 1));
      const newToken = part(tokens - 1, tokens);
      return () =>
        device.scope(() => {
          void attention(query, cache.update(0, ...newToken));
          cache.crop(tokens - 1);
        });
    });
    const clock = clockResolution();
    const repeats = steps.map((step) => {
      step();
      const start = performance.now();
      step();
      return Math.max(1, Math.ceil((20 * clock) / Math.max(performance.now() - start, clock)));
    });
    const timeMs = steps.map(() => Infinity);
    for (let round = 0; round < rounds; round++) {
      for (const [i, step] of steps.entries()) {
        signal?.throwIfAborted();
        const start = performance.now();
        for (let again = 0; again < repeats[i]!; again++) step();
        timeMs[i] = Math.min(timeMs[i]!, (performance.now() - start) / repeats[i]!);
      }
      await new Promise((resume) => setTimeout(resume)); // lets the page answer
    }
    const resolutionMs = Math.max(...repeats.map((count) => clock / count));
    return { kind: "measured", device: "WebAssembly, one thread", tokens, timeMs, resolutionMs };
  } finally {
    await device.close();
  }
}

/** Resolution of the clock. Unit: milliseconds. */
function clockResolution(): number {
  let shortest = Infinity;
  for (let tries = 0; tries < 5; tries++) {
    const start = performance.now();
    let now = start;
    while (now === start) now = performance.now();
    shortest = Math.min(shortest, now - start);
  }
  return Math.max(shortest, 0.001);
}
