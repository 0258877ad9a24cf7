/**
 * Row map from the interleaved rotary layout to the half layout, where row `i` of a head's first half is
 * row `2i` of the interleaved one, and row `i` of its second half `2i + 1`.
 *
 * @param headDim - D
 * @param ropeDim - Rotated dimensions of a head; the others stay.
 */
export function halfFromInterleaved(headDim: number, ropeDim = headDim): (row: number) => number {
  return (row) => {
    const at = row % headDim;
    if (at >= ropeDim) return row;
    const half = ropeDim / 2;
    return row - at + (at < half ? 2 * at : 2 * (at - half) + 1);
  };
}

/** Row map from the half layout to the interleaved one. */
export function interleavedFromHalf(headDim: number, ropeDim = headDim): (row: number) => number {
  return (row) => {
    const at = row % headDim;
    if (at >= ropeDim) return row;
    return row - at + (at % 2 === 0 ? at / 2 : ropeDim / 2 + (at - 1) / 2);
  };
}
