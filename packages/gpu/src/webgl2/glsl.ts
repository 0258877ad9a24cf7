const infinity = "uintBitsToFloat(0x7f800000u)";
const minusInfinity = "uintBitsToFloat(0xff800000u)";
const nan = "uintBitsToFloat(0x7fc00000u)";

/** A number as GLSL source, infinities and NaN included. */
export function float(value: number): string {
  const x = Math.fround(value);
  if (Number.isNaN(x)) return nan;
  if (!Number.isFinite(x)) return x > 0 ? infinity : minusInfinity;
  const text = String(x);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/**
 * The score of a masked key, in place of −∞, which some adapters lack. Scores of this or less are masked.
 */
export const maskedScore = "-3.0e38";

/**
 * tanh, computed from exp of a negative number because GLSL's own overflows on some adapters. Near 0, where 1 − e cancels, it
 * uses the Taylor series x − x³/3 + 2x⁵/15 − 17x⁷/315.
 */
export const tanhText = `float tanh_(float x) {
  float a = abs(x);
  if (a < 0.1) { float s = x * x; return x * (1.0 + s * (-0.33333333 + s * (0.13333333 - s * 0.053968254))); }
  float e = exp(-2.0 * a);
  return sign(x) * (1.0 - e) / (1.0 + e);
}`;

/** The error function, with an error of at most 1.5e-7: Abramowitz and Stegun, 7.1.26. */
export const erfText = `float erf_(float x) {
  float a = abs(x);
  float t = 1.0 / (1.0 + 0.3275911 * a);
  float p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - p * exp(-a * a));
}`;

/** `a` to the power of `b`, with JavaScript's results: GLSL's are undefined for negative bases. */
export const powText = `float pow_(float a, float b) {
  if (b == 0.0 || a == 1.0) return 1.0;
  if (a == 0.0) return b > 0.0 ? 0.0 : ${infinity};
  if (a > 0.0) return pow(a, b);
  if (floor(b) != b) return ${nan};
  return mod(b, 2.0) == 0.0 ? pow(-a, b) : -pow(-a, b);
}`;

/** Rounds to the nearest integer, ties to even. */
export const roundText = `float round_(float x) {
  float low = floor(x);
  float rest = x - low;
  return rest > 0.5 || (rest == 0.5 && mod(low, 2.0) == 1.0) ? low + 1.0 : low;
}`;

/**
 * sin(x + quarter · π/2): GLSL guarantees an error of at most 5e-4 only. Cody and Waite's range reduction subtracts multiples
 * of π/2 in three steps, of which the first two are exact up to some thousand periods: π/2 in three parts, twice those of
 * Cephes sinf (0.63661977 is 2/π). The remainder goes through the Taylor series, up to r⁹ for the sine and r¹⁰ for the cosine.
 */
export const sineText = `float sine_(float x, int quarter) {
  float quarters = floor(x * 0.63661977 + 0.5);
  float r = ((x - quarters * 1.5703125) - quarters * 4.837512969970703e-4) - quarters * 7.549789954891882e-8;
  float s = r * r;
  int quadrant = (int(mod(quarters, 4.0)) + quarter) & 3;
  float y = (quadrant & 1) == 0
    ? r * (1.0 - s * (0.16666667 - s * (8.3333333e-3 - s * (1.9841270e-4 - s * 2.7557319e-6))))
    : 1.0 - s * (0.5 - s * (0.041666667 - s * (1.3888889e-3 - s * (2.4801587e-5 - s * 2.7557319e-7))));
  return quadrant < 2 ? y : -y;
}`;

/** GLSL of `text / n` for non-negative integers: a shift where n is a power of two, since not every compiler does that. */
export function quotient(text: string, n: number): string {
  return Number.isInteger(Math.log2(n)) ? `((${text}) >> ${Math.log2(n)})` : `((${text}) / ${n})`;
}
