import { attention } from "@qkv/attention";
import { randn, slice, type Device } from "@qkv/tensor";
import { measuredTokens, type HeadShape } from "./cache-bytes";

/**
 * Milliseconds that attention takes for one new token over {@link measuredTokens} cached ones, in all layers, for each
 * number of key-value heads. In turns, so that what else the device does meets all; the shortest time counts.
 */
export function measureHeads(
  { layers, heads, headDim }: HeadShape,
  kvHeads: readonly number[],
  device: Device,
): number[] {
  const S = measuredTokens;
  const query = randn([1, heads, 1, headDim], { seed: 1 }).to(device);
  const [keys, values] = [2, 3].map((seed) => randn([1, heads, S, headDim], { seed }));
  const steps = kvHeads.map((count) => {
    const key = slice(keys!, 1, 0, count).to(device);
    const value = slice(values!, 1, 0, count).to(device);
    return () => device.scope(() => void attention(query, key, value));
  });
  const ms = steps.map(() => Infinity);
  for (let round = 0; round < 12; round++) {
    steps.forEach((step, i) => {
      const start = performance.now();
      for (let again = 0; again < layers; again++) step();
      ms[i] = Math.min(ms[i]!, performance.now() - start);
    });
  }
  return ms;
}
