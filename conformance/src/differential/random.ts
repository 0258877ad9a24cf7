/** A source of whole numbers below a bound, and of choices. */
export type Random = { (below: number): number; choose<T>(...from: readonly T[]): T };

/** Whole numbers below a bound, the same for the same seed: the low bits of a hash of seed and place. */
export function randomOf(seed: number): Random {
  let place = 0;
  const random = (below: number) => {
    let hash = Math.imul(seed ^ Math.imul((place += 1), 0x9e3779b1), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) % below;
  };
  return Object.assign(random, { choose: <T>(...from: readonly T[]) => from[random(from.length)]! });
}
