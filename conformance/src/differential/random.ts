/** A random generator: integers below a bound, and choices from a list. */
export type Random = { (below: number): number; choose<T>(...from: readonly T[]): T };

/** A seeded random generator: a hash of the seed and a counter, modulo the bound. */
export function seededRandom(seed: number): Random {
  let counter = 0;
  const random = (below: number) => {
    let hash = Math.imul(seed ^ Math.imul((counter += 1), 0x9e3779b1), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) % below;
  };
  return Object.assign(random, { choose: <T>(...from: readonly T[]) => from[random(from.length)]! });
}
