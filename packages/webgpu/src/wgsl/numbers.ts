import { scoreFunctions, withFunctionsOf, type Functions } from "./score-functions.js";

/**
 * Functions of one number in WGSL whose built-in forms are coarse or undefined at the edges: the standard allows tanh an
 * error of 1e-5, sin one of 2⁻¹¹, and any function to assume that there is no NaN and no infinity.
 */
const functions: Functions = {
  // Whole numbers in the order of floats: numbers below the normal ones, which compare as 0, keep theirs.
  ordered: {
    text: `fn ordered(x: f32) -> i32 {
  let bits = bitcast<i32>(x);
  return select(bits, -(bits & 0x7fffffff), bits < 0);
}`,
  },
  // Taylor series near 0, where the difference cancels.
  expMinus1: {
    uses: ["exponential"],
    text: `fn expMinus1(x: f32) -> f32 {
  if (abs(x) < 0.35) {
    return x * (1.0 + x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.008333334 + x * (0.0013888889 + x * 0.0001984127))))));
  }
  return exponential(x) - 1.0;
}`,
  },
  // log(1 + x) = 2 atanh(x / (2 + x)), by its series near 0.
  log1Plus: {
    uses: ["logarithm"],
    text: `fn log1Plus(x: f32) -> f32 {
  if (abs(x) < 0.25) {
    let s = x / (2.0 + x);
    let q = s * s;
    return 2.0 * s * (1.0 + q * (0.33333334 + q * (0.2 + q * (0.14285715 + q * 0.11111111))));
  }
  return logarithm(1.0 + x);
}`,
  },
  sigmoid: {
    uses: ["isNan"],
    text: `fn sigmoid(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  return 1.0 / (1.0 + exp(clamp(-x, -88.0, 88.0)));
}`,
  },
  // erfc(z) of z ≥ 0 by a Chebyshev fit in t = 1 / (1 + z / 2), good to 1.2e-7 of the result (Press et al., 1992).
  // z² is split where it is exact, so that its rounding is not multiplied by its size.
  upperTail: {
    text: `fn upperTail(z: f32) -> f32 {
  if (z > 10.0) { return 0.0; }
  let t = 1.0 / (1.0 + 0.5 * z);
  let fit = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806
    + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let coarse = floor(z * 16.0) / 16.0;
  return t * exp(fit) * exp(-coarse * coarse) * exp(-(z - coarse) * (z + coarse));
}`,
  },
  errorFunction: {
    uses: ["upperTail", "isNan"],
    text: `fn errorFunction(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let size = abs(x);
  if (size < 0.5) {
    let q = x * x;
    return x * 1.1283792 * (1.0 + q * (-0.33333334 + q * (0.1 + q * (-0.023809524 + q * (0.0046296296 + q * -0.00075757576)))));
  }
  let y = 1.0 - upperTail(size);
  return select(y, -y, x < 0.0);
}`,
  },
  // 1 − erf(x), which keeps its digits where it is nearly nothing.
  complement: {
    uses: ["upperTail", "errorFunction", "isNan"],
    text: `fn complement(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  if (abs(x) < 0.5) { return 1.0 - errorFunction(x); }
  if (x < 0.0) { return 2.0 - upperTail(-x); }
  return upperTail(x);
}`,
  },
  // Cody and Waite's reduction by π/2 in three parts, and two polynomials (Cephes).
  sine: {
    uses: ["isNan", "isInf", "notANumber"],
    text: `fn sine(x: f32, quarters: i32) -> f32 {
  if (isNan(x) || isInf(x)) { return notANumber(); }
  let k = round(x * 0.63661977);
  let r = fma(k, -7.5497899548918821e-8, fma(k, -4.837512969970703e-4, fma(k, -1.5703125, x)));
  let q = r * r;
  let s = r + r * q * (-0.16666654611 + q * (0.0083321608736 + q * -0.00019515295891));
  let c = 1.0 - 0.5 * q + q * q * (0.04166664568 + q * (-0.0013887316255 + q * 2.44331571e-5));
  let quarter = (i32(k) + quarters) & 3;
  let y = select(s, c, (quarter & 1) == 1);
  return select(y, -y, quarter >= 2);
}`,
  },
  // Long division in base 2: what is taken off is between half the rest and the rest, so that no difference is rounded.
  floorRemainder: {
    uses: ["isNan", "isInf", "notANumber"],
    text: `fn floorRemainder(a: f32, b: f32) -> f32 {
  if (isNan(a) || isNan(b) || isInf(a) || b == 0.0) { return notANumber(); }
  var rest = abs(a);
  let size = abs(b);
  for (var i = 0; i < 280 && !isInf(size) && rest >= size; i++) {
    let k = frexp(rest).exp - frexp(size).exp;
    var part = ldexp(size, k);
    if (isInf(part) || part > rest) { part = ldexp(size, k - 1); }
    rest -= part;
  }
  let signed = select(rest, -rest, a < 0.0);
  return select(signed, signed + b, rest != 0.0 && (a < 0.0) != (b < 0.0));
}`,
  },
  // Abramowitz and Stegun's polynomial 4.4.49, good to 2e-8 from 0 to 1.
  arcTangent2: {
    uses: ["isNan", "isInf", "notANumber"],
    text: `fn arcTangent2(y: f32, x: f32) -> f32 {
  if (isNan(y) || isNan(x)) { return notANumber(); }
  let large = max(abs(x), abs(y));
  let small = min(abs(x), abs(y));
  var q = 0.0;
  if (isInf(small)) { q = 1.0; }
  else if (!isInf(large) && large > 0.0) { q = small / large; }
  let s = q * q;
  var angle = q + q * s * (-0.3333314528 + s * (0.1999355085 + s * (-0.1420889944 + s * (0.1065626393
    + s * (-0.0752896400 + s * (0.0429096138 + s * (-0.0161657367 + s * 0.0028662257)))))));
  if (abs(y) > abs(x)) { angle = 1.5707964 - angle; }
  if (bitcast<u32>(x) >> 31u == 1u) { angle = 3.1415927 - angle; }
  return select(angle, -angle, bitcast<u32>(y) >> 31u == 1u);
}`,
  },
  // As JavaScript stores a number in an int32: cut towards zero, modulo 2³².
  wholeNumber: {
    uses: ["isNan", "isInf"],
    text: `fn wholeNumber(x: f32) -> i32 {
  if (isNan(x) || isInf(x)) { return 0; }
  if (abs(x) < 2147483648.0) { return i32(x); }
  let bits = bitcast<u32>(x);
  let shift = ((bits >> 23u) & 255u) - 150u;
  if (shift > 31u) { return 0; }
  let size = i32(((bits & 0x7fffffu) | 0x800000u) << shift);
  return select(size, -size, x < 0.0);
}`,
  },
  // Nearest float16, ties to even. The built-in may round either way, and what is too large for it is anything.
  halfBits: {
    uses: ["isNan"],
    text: `fn halfBits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let sign = (bits >> 16u) & 0x8000u;
  let size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) { return sign | 0x7e00u; }
  if (size >= 0x477ff000u) { return sign | 0x7c00u; }
  if (size < 0x38800000u) {
    if (size < 0x33000000u) { return sign; }
    let shift = 126u - (size >> 23u);
    let mantissa = (size & 0x7fffffu) | 0x800000u;
    let kept = mantissa >> shift;
    let rest = mantissa & ((1u << shift) - 1u);
    let half = 1u << (shift - 1u);
    return sign | (kept + select(0u, 1u, rest > half || (rest == half && (kept & 1u) == 1u)));
  }
  let kept = (size - 0x38000000u) >> 13u;
  let rest = size & 0x1fffu;
  return sign | (kept + select(0u, 1u, rest > 0x1000u || (rest == 0x1000u && (kept & 1u) == 1u)));
}`,
  },
  brainBits: {
    text: `fn brainBits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return (bits >> 16u) | 0x40u; }
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}`,
  },
};

/** A text with the functions that it calls, those of scores among them. */
export const withFunctions = (text: string): string =>
  withFunctionsOf({ ...scoreFunctions, ...functions }, text);
