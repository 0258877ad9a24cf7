/** Bytes of a row of a tile or strip: a number for each of 64 queries, for one key. */
export const ROW: usize = 256;
