/** Columns of a matrix, in float64. */
export type Columns = readonly Float64Array[];

/** A thin singular value decomposition: `A = Σ values[i] · left[i] right[i]ᵀ`, the largest value first. */
export type Svd = { readonly values: Float64Array; readonly left: Columns; readonly right: Columns };

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/**
 * The singular value decomposition of the product `A Bᵀ` of A `[m, D]` and B `[n, D]`, given by their columns; D is small.
 * Only matrices of D columns are decomposed, by one-sided Jacobi rotations: the product `[m, n]` is never computed.
 *
 * @see Demmel & Veselić, "Jacobi's method is more accurate than QR" (1992)
 */
export function svdOfProduct(a: Columns, b: Columns): Svd {
  // A = U S Vᵀ, so A Bᵀ = U (B V S)ᵀ, and the decomposition of the second factor with U's columns is that of the product.
  const first = jacobi(a);
  const weighted = Array.from(first.values, (value, j) => {
    const column = new Float64Array(b[0]!.length);
    b.forEach((one, d) => one.forEach((x, i) => (column[i]! += x * first.right[j]![d]! * value)));
    return column;
  });
  const second = jacobi(weighted);
  const left = second.right.map((weights) => {
    const column = new Float64Array(a[0]!.length);
    first.left.forEach((one, d) => one.forEach((x, i) => (column[i]! += x * weights[d]!)));
    return column;
  });
  return { values: second.values, left, right: second.left };
}

/** One-sided Jacobi SVD of a matrix with D columns of length m: D left vectors of length m, D right vectors of length D. */
function jacobi(columns: Columns): Svd {
  const D = columns.length;
  const u = columns.map((column) => Float64Array.from(column));
  const v = columns.map((_, d) => Float64Array.from({ length: D }, (_, i) => Number(i === d)));
  for (let sweep = 0; sweep < 60; sweep++) {
    let largest = 0;
    for (let p = 0; p < D; p++) {
      for (let q = p + 1; q < D; q++) {
        const [pp, qq, pq] = [dot(u[p]!, u[p]!), dot(u[q]!, u[q]!), dot(u[p]!, u[q]!)];
        if (pq === 0) continue;
        largest = Math.max(largest, Math.abs(pq) / Math.sqrt(pp * qq));
        const zeta = (qq - pp) / (2 * pq);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const c = 1 / Math.sqrt(1 + t * t);
        for (const matrix of [u, v]) rotatePair(matrix[p]!, matrix[q]!, c, c * t);
      }
    }
    if (largest < 1e-15) break;
  }
  const sizes = u.map((column) => Math.sqrt(dot(column, column)));
  const order = sizes.map((_, d) => d).sort((a, b) => sizes[b]! - sizes[a]!);
  return {
    values: Float64Array.from(order, (d) => sizes[d]!),
    left: order.map((d) => u[d]!.map((x) => (sizes[d]! > 0 ? x / sizes[d]! : 0))),
    right: order.map((d) => v[d]!),
  };
}

/** Rotates two columns: `(p, q)` to `(c p − s q, s p + c q)`. */
function rotatePair(p: Float64Array, q: Float64Array, c: number, s: number): void {
  for (let i = 0; i < p.length; i++) {
    const [x, y] = [p[i]!, q[i]!];
    p[i] = c * x - s * y;
    q[i] = s * x + c * y;
  }
}
