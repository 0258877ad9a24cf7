import { splitSeed } from "@qkv/tensor";

/**
 * Seeds of what stands around a model's layers, by name, and of each layer. A layer draws from twelve seeds (three parts of
 * four matrices), and so does what stands around them; a model has room for a thousand of such twelves.
 */
export function modelSeeds<Name extends string>(
  seed: number,
  names: readonly Name[],
  numLayers: number,
): [Record<Name, number>, number[]] {
  const [around, ...layers] = splitSeed(seed, numLayers + 1, Math.max(1000, numLayers + 1));
  return [splitSeed(around!, names, 12), layers];
}
