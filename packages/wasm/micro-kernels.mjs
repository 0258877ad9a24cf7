// Writes the micro-kernels: AssemblyScript has no arrays of locals, so blocks of accumulators are spelled out. One step
// of the summed axis per turn of the loop: unrolling it makes every engine slower.

const range = (n) => Array.from({ length: n }, (_, i) => i);

/**
 * c[rows × 8] (+)= a · b: `a` packed as [k][rows], `b` as [k][8]. 2 · rows sums stay in registers.
 */
function product(rows) {
  const all = range(rows);
  return `
export function product${rows}(a: usize, b: usize, k: i32, c: usize, stride: usize, add: bool): void {
${all.map((r) => `  let s${r}0 = zero(), s${r}1 = zero();`).join("\n")}
  const end = b + ((<usize>k) << 5);
  while (b < end) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
${all
  .map(
    (r) =>
      `    const a${r} = v128.load32_splat(a, ${r * 4}); s${r}0 = madd(a${r}, b0, s${r}0); s${r}1 = madd(a${r}, b1, s${r}1);`,
  )
  .join("\n")}
    a += ${rows * 4}; b += 32;
  }
  if (add) {
${all
  .map(
    (r) =>
      `    s${r}0 = f32x4.add(s${r}0, v128.load(c + stride * ${r})); s${r}1 = f32x4.add(s${r}1, v128.load(c + stride * ${r}, 16));`,
  )
  .join("\n")}
  }
${all.map((r) => `  v128.store(c + stride * ${r}, s${r}0); v128.store(c + stride * ${r}, s${r}1, 16);`).join("\n")}
}`;
}

/**
 * scores[keys × 8 queries] = keys · queries: keys read in place, \`stride\` bytes apart; queries packed as [d][8].
 * Scores lie \`row\` bytes apart, one key after the other.
 */
function keysByQueries(keys, row) {
  const all = range(keys);
  return `
export function score${keys}(key: usize, stride: usize, query: usize, dim: i32, scores: usize): void {
${all.map((r) => `  let k${r} = key + stride * ${r};`).join("\n")}
${all.map((r) => `  let s${r}0 = zero(), s${r}1 = zero();`).join("\n")}
  const end = query + ((<usize>dim) << 5);
  while (query < end) {
    const q0 = v128.load(query), q1 = v128.load(query, 16);
${all
  .map(
    (r) =>
      `    const x${r} = v128.load32_splat(k${r}); k${r} += 4; s${r}0 = madd(x${r}, q0, s${r}0); s${r}1 = madd(x${r}, q1, s${r}1);`,
  )
  .join("\n")}
    query += 32;
  }
${all.map((r) => `  v128.store(scores, s${r}0, ${r * row}); v128.store(scores, s${r}1, ${r * row + 16});`).join("\n")}
}`;
}

/**
 * mixture[queries × 8 dims] = mixture · correction + Σ weight · value: weights lie \`row\` bytes apart, one key after the
 * other; values are read in place, \`stride\` bytes apart.
 */
function weightsByValues(queries, row) {
  const all = range(queries);
  return `
export function mix${queries}(weights: usize, value: usize, stride: usize, keys: i32, mixture: usize, width: usize, correction: usize): void {
${all
  .map(
    (r) =>
      `  const a${r} = v128.load32_splat(correction, ${r * 4}); let s${r}0 = f32x4.mul(a${r}, v128.load(mixture + width * ${r})), s${r}1 = f32x4.mul(a${r}, v128.load(mixture + width * ${r}, 16));`,
  )
  .join("\n")}
  const end = weights + <usize>keys * ${row};
  while (weights < end) {
    const v0 = v128.load(value), v1 = v128.load(value, 16);
${all
  .map(
    (r) =>
      `    const w${r} = v128.load32_splat(weights, ${r * 4}); s${r}0 = madd(w${r}, v0, s${r}0); s${r}1 = madd(w${r}, v1, s${r}1);`,
  )
  .join("\n")}
    weights += ${row}; value += stride;
  }
${all.map((r) => `  v128.store(mixture + width * ${r}, s${r}0); v128.store(mixture + width * ${r}, s${r}1, 16);`).join("\n")}
}`;
}

/** Queries of one tile, in bytes: what lies between a key's scores and the next key's. */
const row = 64 * 4;

export const microKernels = `// Written by micro-kernels.mjs.
import { madd, zero } from "./lanes";
${[4, 6].map(product).join("\n")}
${[1, 4, 6].map((n) => keysByQueries(n, row)).join("\n")}
${[1, 4, 6].map((n) => weightsByValues(n, row)).join("\n")}
`;
