/** A name that nobody else has. */
export const randomName = (): string => crypto.getRandomValues(new Uint32Array(4)).join("-");
