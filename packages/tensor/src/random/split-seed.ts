import { checks } from "@qkv/core";
import { seedKey } from "./uniforms.js";

/**
 * Derives seeds for several parts from one seed, by name or by count, as JAX splits a key: `seed · of + index`. All derived seeds
 * differ, also those of different seeds with the same `of`.
 *
 * @param seed - An integer.
 * @param parts - The names of the parts, or how many there are.
 * @param of - Number of parts to reserve, so that parts can be added later without changing the seeds of the others. Default: the
 *   number of parts.
 * @returns The seed of each part, by its name, or a list of them.
 * @throws {ArgumentError} If `seed` is not an integer, or `of` is less than the number of parts.
 *
 * @example
 * ```ts
 * import { randn, splitSeed } from "@qkv/tensor";
 *
 * const seeds = splitSeed(7, ["weight", "bias"]); // => { weight: 14, bias: 15 }
 * randn([3, 4], { seed: seeds.weight }).shape; // => [3, 4]
 * splitSeed(7, 3); // => [21, 22, 23]
 * ```
 */
export function splitSeed(seed: number, parts: number, of?: number): number[];
export function splitSeed<Name extends string>(
  seed: number,
  parts: readonly Name[],
  of?: number,
): Record<Name, number>;
export function splitSeed(seed: number, parts: number | readonly string[], of?: number) {
  const check = checks("splitSeed");
  seedKey("splitSeed", seed);
  const names = typeof parts === "number" ? undefined : parts;
  const count = names?.length ?? (parts as number);
  if (!names) check.whole({ parts: count }, { min: 0 });
  if (of !== undefined) check.whole({ of }, { min: count, unit: "parts" });
  const seeds = Array.from({ length: count }, (_, n) => seed * (of ?? count) + n);
  return names ? Object.fromEntries(names.map((name, n) => [name, seeds[n]])) : seeds;
}
