/** A seed for draws that need not be the same again. */
export const newSeed = (): number => Math.floor(Math.random() * 2 ** 32);
