/** Bytes from one key of a tile or a strip to the next: a number for each of 64 queries. */
export const ROW: usize = 256;
