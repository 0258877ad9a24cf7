const infinity = "uintBitsToFloat(0x7f800000u)";
const minusInfinity = "uintBitsToFloat(0xff800000u)";
const nan = "uintBitsToFloat(0x7fc00000u)";

/** A number as GLSL writes it, float32's infinities and NaN included. */
export function float(value: number): string {
  const x = Math.fround(value);
  if (Number.isNaN(x)) return nan;
  if (!Number.isFinite(x)) return x > 0 ? infinity : minusInfinity;
  const text = String(x);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/**
 * What a masked score is inside of shaders: some adapters have no infinities. Numbers of this size and below count as
 * hidden.
 */
export const hidden = "-3.0e38";

/** tanh by exp of a negative number: GLSL's own overflows on some adapters. Near 0, where 1 − e cancels, by its series. */
export const tanhText = `float tanh_(float x) {
  float a = abs(x);
  if (a < 0.1) { float s = x * x; return x * (1.0 + s * (-0.33333333 + s * (0.13333333 - s * 0.053968254))); }
  float e = exp(-2.0 * a);
  return sign(x) * (1.0 - e) / (1.0 + e);
}`;

/** The error function, at most 1.5e-7 away: Abramowitz and Stegun, 7.1.26. */
export const erfText = `float erf_(float x) {
  float a = abs(x);
  float t = 1.0 / (1.0 + 0.3275911 * a);
  float p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - p * exp(-a * a));
}`;

/** `a` to the power of `b` as JavaScript has it: GLSL leaves negative bases open. */
export const powText = `float pow_(float a, float b) {
  if (b == 0.0 || a == 1.0) return 1.0;
  if (a == 0.0) return b > 0.0 ? 0.0 : ${infinity};
  if (a > 0.0) return pow(a, b);
  if (floor(b) != b) return ${nan};
  return mod(b, 2.0) == 0.0 ? pow(-a, b) : -pow(-a, b);
}`;

/** `text / n` of a whole number that is not negative: by a shift where it can be, which not every compiler sees. */
export function quotient(text: string, n: number): string {
  return Number.isInteger(Math.log2(n)) ? `((${text}) >> ${Math.log2(n)})` : `((${text}) / ${n})`;
}
