import { easeCubicInOut } from "d3-ease";

/** The cache at a moment of a step, which first writes tokens (up to progress `writes`) and then reads the cache. */
export type CacheGrowth = {
  /** Tokens in the cache, an integer. */
  tokens: number;
  /** Rows that are drawn, and the fraction of the full height of each. */
  rows: number;
  rowScale: number;
  /** Tokens that one row of full height represents. */
  tokensPerRow: number;
  /** Progress of the row that moves into its place, from 0 to 1. */
  drop?: number;
  /** Bytes read by the query heads, as a fraction of the largest cache. All kinds read at one speed. */
  read?: number;
};

const writes = 0.45;

/**
 * Returns the state of the cache on the way to `lengths[step]`. Up to `numRows` tokens each has a row; then the rows
 * shrink to half their height while the same number of rows is added below, and one row represents twice as many tokens.
 */
export function cacheGrowth(
  lengths: readonly number[],
  numRows: number,
  step: number,
  progress: number,
): CacheGrowth {
  const [before, after] = [lengths[step - 1] ?? 0, lengths[step]!];
  const single = after <= numRows;
  if (progress >= 1) return rest(after, numRows);
  const write = progress / writes;
  if (write >= 1) return { ...rest(after, numRows), read: (progress - writes) / (1 - writes) };
  if (single) return { ...rest(before, numRows), drop: easeCubicInOut(write) };
  const rowScale = 1 - easeCubicInOut(write) / 2;
  const rows = Math.floor(numRows / rowScale + 1e-9);
  return {
    tokens: Math.round((before * rows) / numRows),
    rows,
    rowScale,
    tokensPerRow: before / numRows,
  };
}

function rest(tokens: number, numRows: number): CacheGrowth {
  return {
    tokens,
    rows: Math.min(tokens, numRows),
    rowScale: 1,
    tokensPerRow: Math.max(1, tokens / numRows),
  };
}
