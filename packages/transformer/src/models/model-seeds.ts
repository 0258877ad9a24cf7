import { splitSeed } from "@qkv/tensor";

/**
 * Seeds of initial params: by name for params outside the layers, and for each layer. Each layer has twelve seeds (three sublayers with
 * four matrices), and so have the params outside. Seeds are spaced for up to a thousand such groups.
 */
export function modelSeeds<Name extends string>(
  seed: number,
  names: readonly Name[],
  numLayers: number,
): [Record<Name, number>, number[]] {
  const [outside, ...layers] = splitSeed(seed, numLayers + 1, Math.max(1000, numLayers + 1));
  return [splitSeed(outside!, names, 12), layers];
}
