/** A number that is finite, as gpu.js takes it. */
export function number(value: number): string {
  return value < 0 ? `(${value})` : String(value);
}

/** `let y = a to the power of b`, as JavaScript has it: some adapters leave negative bases open. */
export function powText(y: string, a: string, b: string): string {
  return `let ${y} = Math.pow(Math.abs(${a}), ${b});
  if (${a} < 0) {
    if (Math.floor(${b}) !== ${b}) { ${y} = Math.sqrt(${a}); }
    else { if (Math.floor(${b} / 2) * 2 !== ${b}) { ${y} = -${y}; } }
  }`;
}

/** tanh of a number that is not too large for the exponentials that some adapters make of it. */
export const tanhText = (x: string): string => `Math.tanh(Math.max(-20, Math.min(20, ${x})))`;

/** `const y = ` the error function, at most 1.5e-7 away: Abramowitz and Stegun, 7.1.26. */
export function erfText(y: string, x: string): string {
  return `const of = ${x};
  const far = Math.abs(of);
  const part = 1 / (1 + 0.3275911 * far);
  const series = part * (0.254829592 + part * (-0.284496736 + part * (1.421413741 + part * (-1.453152027 + part * 1.061405429))));
  let ${y} = 1 - series * Math.exp(-far * far);
  if (of < 0) { ${y} = -${y}; }`;
}

/** Returns `a` to the nearest whole number, and from the middle to the even one. */
export const roundText = `const low = Math.floor(a);
  const rest = a - low;
  if (rest > 0.5) { return low + 1; }
  if (rest === 0.5 && Math.floor(low / 2) * 2 !== low) { return low + 1; }
  return low;`;

/**
 * Returns the sine of `a`, so many quarters of a turn on: adapters promise little of their own. Whole quarters are taken
 * away in three steps, of which the first two are exact up to some thousand turns: π/2 in three parts, twice those of
 * Cephes sinf (Cody and Waite's reduction; 0.63661977 is 2/π). What is left goes through its Taylor series, up to r⁹ for
 * the sine and r¹⁰ for the cosine.
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
