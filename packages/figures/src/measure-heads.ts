import { attention } from "@qkv/attention";
import { staticCache } from "@qkv/kv-cache";
import { randn, slice } from "@qkv/tensor";
import type { HeadsTime } from "@qkv/viz/figures/heads-and-keys";
import { wasm } from "@qkv/wasm";

/** Heads of one layer, and the KV heads of each kind. */
export type HeadsToMeasure = { numHeads: number; headDim: number; numKvHeads: readonly number[] };

const mostBytes = 32 * 2 ** 20; // of the largest cache
const rounds = 8;

/**
 * Measures one token of each kind on this device: its key and value are written to the cache, and its query heads attend
 * to all cached tokens. One layer, float32, the `wasm` device on one thread. The kinds take turns, so that whatever else
 * the device does meets all of them, and the shortest time counts.
 *
 * @throws {DOMException} If `signal` is aborted.
 */
export async function measureHeads(
  { numHeads, headDim, numKvHeads }: HeadsToMeasure,
  { signal }: { signal?: AbortSignal } = {},
): Promise<HeadsTime> {
  const tokens = 2 ** Math.floor(Math.log2(mostBytes / (2 * numHeads * headDim * 4)));
  const device = await wasm({ threads: 1 });
  try {
    const query = randn([1, numHeads, 1, headDim], { seed: 1 }).to(device);
    const rows = randn([1, Math.max(...numKvHeads), tokens, headDim], { seed: 2 });
    const steps = numKvHeads.map((count) => {
      const [context, one] = [
        slice(rows, 1, 0, count).to(device),
        slice(slice(rows, 1, 0, count), 2, 0, 1).to(device),
      ];
      const cache = staticCache({ maxLength: tokens });
      cache.update(0, slice(context, 2, 1, tokens), slice(context, 2, 1, tokens));
      return () =>
        device.scope(() => {
          void attention(query, cache.update(0, one, one));
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

/** Smallest step of the clock. Unit: ms. */
function clockResolution(): number {
  let least = Infinity;
  for (let tries = 0; tries < 5; tries++) {
    const start = performance.now();
    let now = start;
    while (now === start) now = performance.now();
    least = Math.min(least, now - start);
  }
  return Math.max(least, 0.001);
}
