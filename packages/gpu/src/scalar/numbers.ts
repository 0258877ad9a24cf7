/** A finite number as source text that gpu.js parses. */
export function number(value: number): string {
  return value < 0 ? `(${value})` : String(value);
}

/**
 * `let y = a to the power of b`, with JavaScript's results: on some adapters those for negative bases are undefined.
 * A negative base with a fractional exponent gives NaN, as does its square root.
 */
export function powText(y: string, a: string, b: string): string {
  return `let ${y} = Math.pow(Math.abs(${a}), ${b});
  if (${a} < 0) {
    if (Math.floor(${b}) !== ${b}) { ${y} = Math.sqrt(${a}); }
    else { if (Math.floor(${b} / 2) * 2 !== ${b}) { ${y} = -${y}; } }
  }`;
}

/** tanh of a clamped number: some adapters compute it from exponentials, which overflow. */
export const tanhText = (x: string): string => `Math.tanh(Math.max(-20, Math.min(20, ${x})))`;

/** `const y = ` the error function of `x`, with an error of at most 1.5e-7: Abramowitz and Stegun, 7.1.26. */
export function erfText(y: string, x: string): string {
  return `const argument = ${x};
  const magnitude = Math.abs(argument);
  const t = 1 / (1 + 0.3275911 * magnitude);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let ${y} = 1 - series * Math.exp(-magnitude * magnitude);
  if (argument < 0) { ${y} = -${y}; }`;
}

/** Returns `a` rounded to the nearest integer, ties to even. */
export const roundText = `const low = Math.floor(a);
  const rest = a - low;
  if (rest > 0.5) { return low + 1; }
  if (rest === 0.5 && Math.floor(low / 2) * 2 !== low) { return low + 1; }
  return low;`;

/**
 * Returns sin(a + quarter · π/2): adapters guarantee little accuracy of their own. Cody and Waite's range reduction
 * subtracts multiples of π/2 in three steps, of which the first two are exact up to some thousand periods: π/2 in three
 * parts, twice those of Cephes sinf (0.63661977 is 2/π). The remainder goes through the Taylor series, up to r⁹ for the
 * sine and r¹⁰ for the cosine.
 */
export const sineText = (quarter: number): string => `const quarters = Math.floor(a * 0.63661977 + 0.5);
  const r = a - quarters * 1.5703125 - quarters * 0.0004837512969970703 - quarters * 0.00000007549789954891882;
  const square = r * r;
  const quadrant = quarters + ${quarter} - Math.floor((quarters + ${quarter}) / 4) * 4;
  let y = r * (1 - square * (0.16666667 - square * (0.0083333333 - square * (0.0001984127 - square * 0.0000027557319))));
  if (quadrant === 1 || quadrant === 3) {
    y = 1 - square * (0.5 - square * (0.041666667 - square * (0.0013888889 - square * (0.000024801587 - square * 0.00000027557319))));
  }
  if (quadrant >= 2) { return -y; }
  return y;`;
