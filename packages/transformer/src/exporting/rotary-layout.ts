/**
 * Where rows of queries and keys come from when rotary pairs are stored as two halves of a head and ours are
 * neighbours: row `i` of a head's first half is ours `2i`, of its second `2i + 1`.
 *
 * @param headDim - D
 * @param ropeDim - How many numbers of a head turn; the others stay.
 */
export function halfFromInterleaved(headDim: number, ropeDim = headDim): (row: number) => number {
  return (row) => {
    const at = row % headDim;
    if (at >= ropeDim) return row;
    const half = ropeDim / 2;
    return row - at + (at < half ? 2 * at : 2 * (at - half) + 1);
  };
}

/** The other way round: neighbours from two halves. */
export function interleavedFromHalf(headDim: number, ropeDim = headDim): (row: number) => number {
  return (row) => {
    const at = row % headDim;
    if (at >= ropeDim) return row;
    return row - at + (at % 2 === 0 ? at / 2 : ropeDim / 2 + (at - 1) / 2);
  };
}
