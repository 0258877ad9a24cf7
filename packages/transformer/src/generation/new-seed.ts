/** A random seed, for sampling without a given seed. */
export const newSeed = (): number => Math.floor(Math.random() * 2 ** 32);
