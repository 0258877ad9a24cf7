/**
 * Rows `[T, C]` of the reference implementation of transformer layers in this file: plain float64 code without the packages, to
 * which loaded checkpoints are compared.
 */
export type Rows = number[][];

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/** `x Wᵀ + b`, the weight as `[out, in]`. */
export const linear = (x: Rows, weight: Rows, bias?: readonly number[]): Rows =>
  x.map((row) => weight.map((w, o) => dot(row, w) + (bias?.[o] ?? 0)));

export const transposed = (x: Rows): Rows => x[0]!.map((_, column) => x.map((row) => row[column]!));
export const plus = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((x, c) => x + b[t]![c]!));
export const times = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((x, c) => x * b[t]![c]!));
export const each = (x: Rows, f: (x: number) => number): Rows => x.map((row) => row.map(f));

export const rms = (x: Rows, gain: readonly number[], eps: number): Rows =>
  x.map((row) => row.map((v, c) => (v / Math.sqrt(dot(row, row) / row.length + eps)) * gain[c]!));

export const layerNorm = (x: Rows, gain: readonly number[], shift: readonly number[], eps: number): Rows =>
  x.map((row) => {
    const mean = row.reduce((a, b) => a + b) / row.length;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length;
    return row.map((v, c) => ((v - mean) / Math.sqrt(variance + eps)) * gain[c]! + shift[c]!);
  });

export const silu = (x: number): number => x / (1 + Math.exp(-x));
export const geluTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
/** GELU: x Φ(x), with the normal CDF Φ as its Taylor series. */
export const gelu = (x: number): number => {
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / (2 * n);
    sum += term / (2 * n + 1);
  }
  return x * (0.5 + sum / Math.sqrt(2 * Math.PI));
};

/** Splits rows `[T, C]` into heads, `[H, T, D]`. */
export const heads = (x: Rows, count: number): Rows[] =>
  Array.from({ length: count }, (_, h) => {
    const size = x[0]!.length / count;
    return x.map((row) => row.slice(h * size, (h + 1) * size));
  });

/** Radians per position of each pair. */
export const frequencies = (base: number, size: number): number[] =>
  Array.from({ length: size / 2 }, (_, i) => base ** ((-2 * i) / size));

/** RoPE in the half layout (rotate_half): dimension `i` is paired with `i + radians.length`; later dimensions stay. */
export const rotate = (head: Rows, radians: readonly number[], factor = 1): Rows =>
  head.map((row, position) => {
    const half = radians.length;
    return row.map((v, d) => {
      if (d >= 2 * half) return v;
      const angle = position * radians[d % half]!;
      const other = d < half ? -row[d + half]! : row[d - half]!;
      return factor * (v * Math.cos(angle) + other * Math.sin(angle));
    });
  });

/** Grouped-query attention; returns the heads concatenated, `[T, H · D]`. */
export function attend(
  query: Rows[],
  key: Rows[],
  value: Rows[],
  {
    scale,
    sees = (t, s) => s <= t,
    softcap,
  }: { scale: number; sees?: (t: number, s: number) => boolean; softcap?: number },
): Rows {
  const outputs = query.map((q, h) => {
    const kv = Math.floor(h / (query.length / key.length));
    return q.map((row, t) => {
      const scores = key[kv]!.map((k, s) => {
        const score = scale * dot(row, k);
        return sees(t, s) ? (softcap ? softcap * Math.tanh(score / softcap) : score) : -Infinity;
      });
      const maxScore = Math.max(...scores);
      const exps = scores.map((score) => Math.exp(score - maxScore));
      const total = exps.reduce((a, b) => a + b);
      return transposed(value[kv]!).map((column) => dot(exps, column) / total);
    });
  });
  return query[0]!.map((_, t) => outputs.flatMap((head) => head[t]!));
}

/** Sliding window: a query sees itself and the `size - 1` tokens before it. */
export const within =
  (size: number) =>
  (t: number, s: number): boolean =>
    s <= t && t - s < size;
