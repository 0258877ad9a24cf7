/**
 * The numbers of at least 0 that bring `Σ_j rows[i][j] · x[j]` nearest to 1 for every row, in squares.
 *
 * @see Lawson and Hanson, "Solving Least Squares Problems" (1974), chapter 23
 */
export declare function nonNegativeLeastSquares(rows: readonly (readonly number[])[]): number[];
