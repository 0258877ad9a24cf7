import { scoreFunctions, withFunctionsFrom, type Functions } from "./score-functions.js";

/**
 * WGSL functions that replace inaccurate or partly undefined built-in ones: the specification allows errors of 1e-5 for tanh and
 * 2⁻¹¹ for sin, and lets every function assume that there are no NaN and no infinities.
 */
const functions: Functions = {
  // Integers in the order of the floats. It also distinguishes subnormal numbers, which may compare equal to 0.
  ordered: {
    text: `fn ordered(x: f32) -> i32 {
  let bits = bitcast<i32>(x);
  return select(bits, -(bits & 0x7fffffff), bits < 0);
}`,
  },
  // Taylor series near 0, where the difference cancels.
  expm1_: {
    uses: ["exp_"],
    text: `fn expm1_(x: f32) -> f32 {
  if (abs(x) < 0.35) {
    return x * (1.0 + x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.008333334 + x * (0.0013888889 + x * 0.0001984127))))));
  }
  return exp_(x) - 1.0;
}`,
  },
  // log(1 + x) = 2 atanh(x / (2 + x)), by its series near 0.
  log1p_: {
    uses: ["log_"],
    text: `fn log1p_(x: f32) -> f32 {
  if (abs(x) < 0.25) {
    let s = x / (2.0 + x);
    let q = s * s;
    return 2.0 * s * (1.0 + q * (0.33333334 + q * (0.2 + q * (0.14285715 + q * 0.11111111))));
  }
  return log_(1.0 + x);
}`,
  },
  sigmoid: {
    uses: ["isNan"],
    text: `fn sigmoid(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  return 1.0 / (1.0 + exp(clamp(-x, -88.0, 88.0)));
}`,
  },
  // erfc(z) for z ≥ 0, by a Chebyshev fit in t = 1 / (1 + z / 2) with a relative error of 1.2e-7 (Press et al., 1992). exp(−z²)
  // is split so that the rounding error of a large z² does not matter.
  erfcPositive: {
    text: `fn erfcPositive(z: f32) -> f32 {
  if (z > 10.0) { return 0.0; }
  let t = 1.0 / (1.0 + 0.5 * z);
  let fit = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806
    + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let coarse = floor(z * 16.0) / 16.0;
  return t * exp(fit) * exp(-coarse * coarse) * exp(-(z - coarse) * (z + coarse));
}`,
  },
  erf_: {
    uses: ["erfcPositive", "isNan"],
    text: `fn erf_(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let size = abs(x);
  if (size < 0.5) {
    let q = x * x;
    return x * 1.1283792 * (1.0 + q * (-0.33333334 + q * (0.1 + q * (-0.023809524 + q * (0.0046296296 + q * -0.00075757576)))));
  }
  let y = 1.0 - erfcPositive(size);
  return select(y, -y, x < 0.0);
}`,
  },
  // erfc(x) = 1 − erf(x), without cancellation for large x.
  erfc_: {
    uses: ["erfcPositive", "erf_", "isNan"],
    text: `fn erfc_(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  if (abs(x) < 0.5) { return 1.0 - erf_(x); }
  if (x < 0.0) { return 2.0 - erfcPositive(-x); }
  return erfcPositive(x);
}`,
  },
  // Cody and Waite's range reduction with π/2 in three parts, and the polynomials of Cephes.
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
  // Long division in base 2: each subtrahend is between half the rest and the rest, so that all differences are exact.
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
  // Abramowitz and Stegun's polynomial 4.4.49, with an error of 2e-8 from 0 to 1.
  atan2_: {
    uses: ["isNan", "isInf", "notANumber"],
    text: `fn atan2_(y: f32, x: f32) -> f32 {
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
  // JavaScript's conversion to int32: truncated towards zero, modulo 2³².
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
  // The bits of the nearest float16, ties to even. The built-in may round either way, and its overflow is undefined.
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

/** A text with the functions that it calls, of this module and of the score functions. */
export const withFunctions = (text: string): string =>
  withFunctionsFrom({ ...scoreFunctions, ...functions }, text);
