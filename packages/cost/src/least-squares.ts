/**
 * Non-negative least squares: the `x ≥ 0` that minimizes `Σ_i (Σ_j rows[i][j] · x[j] − 1)²`.
 *
 * @see Lawson and Hanson, "Solving Least Squares Problems" (1974), chapter 23
 */
export function nonNegativeLeastSquares(rows: readonly (readonly number[])[]): number[] {
  // Columns are scaled to unit norm, so that one tolerance fits all of them.
  const columns = rows[0]?.length ?? 0;
  const norms = Array.from({ length: columns }, (_, j) => Math.hypot(...rows.map((row) => row[j]!)) || 1);
  const scaled = rows.map((row) => row.map((value, j) => value / norms[j]!));
  const x = new Array<number>(columns).fill(0);
  const free = new Set<number>();
  for (let round = 0; round < 3 * columns; round++) {
    // The variable at 0 with the largest positive gradient.
    const residual = scaled.map((row) => 1 - row.reduce((sum, value, j) => sum + value * x[j]!, 0));
    const gradient = x.map((_, j) => scaled.reduce((sum, row, i) => sum + row[j]! * residual[i]!, 0));
    const next = gradient.reduce(
      (best, value, j) => (!free.has(j) && value > (gradient[best] ?? 1e-12) ? j : best),
      -1,
    );
    if (next < 0) break;
    free.add(next);
    for (;;) {
      const chosen = [...free];
      const solved = solveNormal(scaled.map((row) => chosen.map((j) => row[j]!)));
      const notPositive = chosen.filter((_, i) => !(solved[i]! > 0));
      // A step towards the solution that keeps all variables at 0 or above; those that reach 0 leave the free set.
      const step = Math.min(
        1,
        ...notPositive.map((j) => x[j]! / (x[j]! - (solved[chosen.indexOf(j)] ?? 0)) || 0),
      );
      chosen.forEach((j, i) => (x[j]! += step * ((solved[i] ?? 0) - x[j]!)));
      if (notPositive.length === 0) break;
      for (const j of notPositive) {
        if (x[j]! > 1e-12) continue;
        x[j] = 0;
        free.delete(j);
      }
    }
  }
  return x.map((value, j) => value / norms[j]!);
}

/** Solves `AᵀA x = Aᵀ1` by elimination. A linearly dependent column gets 0. */
function solveNormal(rows: readonly (readonly number[])[]): number[] {
  const n = rows[0]?.length ?? 0;
  const matrix = Array.from({ length: n }, (_, i) => [
    ...Array.from({ length: n }, (_, j) => rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0)),
    rows.reduce((sum, row) => sum + row[i]!, 0),
  ]);
  for (let pivot = 0; pivot < n; pivot++) {
    const row = matrix[pivot]!;
    if (row[pivot]! < 1e-10) {
      row.fill(0);
      row[pivot] = 1;
      continue;
    }
    for (const other of matrix) {
      if (other === row) continue;
      const factor = other[pivot]! / row[pivot]!;
      for (let j = pivot; j <= n; j++) other[j]! -= factor * row[j]!;
    }
  }
  return matrix.map((row, i) => row[n]! / row[i]!);
}
