/** A random name of 128 bits, which is unique in practice. */
export const randomName = (): string => crypto.getRandomValues(new Uint32Array(4)).join("-");
