/**
 * The numbers of at least 0 that bring `Σ_j rows[i][j] · x[j]` nearest to 1 for every row, in squares.
 *
 * @see Lawson and Hanson, "Solving Least Squares Problems" (1974), chapter 23
 */
export function nonNegativeLeastSquares(rows: readonly (readonly number[])[]): number[] {
  // Columns of very different sizes are brought to one, so that one bound tells zero.
  const columns = rows[0]?.length ?? 0;
  const sizes = Array.from({ length: columns }, (_, j) => Math.hypot(...rows.map((row) => row[j]!)) || 1);
  const scaled = rows.map((row) => row.map((value, j) => value / sizes[j]!));
  const x = new Array<number>(columns).fill(0);
  const free = new Set<number>();
  for (let round = 0; round < 3 * columns; round++) {
    // The unknown at 0 whose growth would reduce the residual most.
    const missing = scaled.map((row) => 1 - row.reduce((sum, value, j) => sum + value * x[j]!, 0));
    const pull = x.map((_, j) => scaled.reduce((sum, row, i) => sum + row[j]! * missing[i]!, 0));
    const next = pull.reduce(
      (best, value, j) => (!free.has(j) && value > (pull[best] ?? 1e-12) ? j : best),
      -1,
    );
    if (next < 0) break;
    free.add(next);
    for (;;) {
      const chosen = [...free];
      const solved = solveNormal(scaled.map((row) => chosen.map((j) => row[j]!)));
      const below = chosen.filter((_, i) => !(solved[i]! > 0));
      // As far towards the solution as all stay at 0 or above; what arrives at 0 stays there.
      const step = Math.min(1, ...below.map((j) => x[j]! / (x[j]! - (solved[chosen.indexOf(j)] ?? 0)) || 0));
      chosen.forEach((j, i) => (x[j]! += step * ((solved[i] ?? 0) - x[j]!)));
      if (below.length === 0) break;
      for (const j of below) {
        if (x[j]! > 1e-12) continue;
        x[j] = 0;
        free.delete(j);
      }
    }
  }
  return x.map((value, j) => value / sizes[j]!);
}

/** Solves `AᵀA x = Aᵀ1` by elimination. A column that says nothing new gets 0. */
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
