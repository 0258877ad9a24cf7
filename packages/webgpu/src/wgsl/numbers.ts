/**
 * Functions of one number in WGSL whose built-in forms are coarse or undefined at the edges: the standard allows tanh an
 * error of 1e-5, sin one of 2⁻¹¹, and any function to assume that there is no NaN and no infinity.
 */
const functions: Record<string, { readonly uses?: readonly string[]; readonly text: string }> = {
  isNan: { text: "fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }" },
  isInf: { text: "fn isInf(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }" },
  // Constants with these bits are refused when a shader is compiled; a variable is none.
  notANumber: { text: "fn notANumber() -> f32 { var bits = 0x7fc00000u; return bitcast<f32>(bits); }" },
  infinity: { text: "fn infinity() -> f32 { var bits = 0x7f800000u; return bitcast<f32>(bits); }" },
  // Whole numbers in the order of floats: numbers below the normal ones, which compare as 0, keep theirs.
  ordered: {
    text: `fn ordered(x: f32) -> i32 {
  let bits = bitcast<i32>(x);
  return select(bits, -(bits & 0x7fffffff), bits < 0);
}`,
  },
  larger: {
    uses: ["isNan"],
    text: `fn larger(a: f32, b: f32) -> f32 {
  if (isNan(a)) { return a; }
  if (isNan(b)) { return b; }
  return max(a, b);
}`,
  },
  smaller: {
    uses: ["isNan"],
    text: `fn smaller(a: f32, b: f32) -> f32 {
  if (isNan(a)) { return a; }
  if (isNan(b)) { return b; }
  return min(a, b);
}`,
  },
  exponential: {
    uses: ["isNan", "infinity"],
    text: `fn exponential(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  if (x > 88.7228) { return infinity(); }
  if (x < -103.98) { return 0.0; }
  return exp(x);
}`,
  },
  logarithm: {
    uses: ["isNan", "isInf", "notANumber", "infinity"],
    // Numbers below the normal ones by their bits: as numbers they may be 0.
    text: `fn logarithm(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if (bits == 0u || bits == 0x80000000u) { return -infinity(); }
  if (isNan(x) || bits > 0x80000000u) { return notANumber(); }
  if (isInf(x)) { return x; }
  if (bits < 0x800000u) { return log(f32(bits)) - 103.27893; }
  return log(x);
}`,
  },
  root: {
    uses: ["isNan", "isInf", "notANumber"],
    text: `fn root(x: f32) -> f32 {
  if (isNan(x) || x < 0.0) { return notANumber(); }
  if (isInf(x)) { return x; }
  return sqrt(x);
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
  tangent: {
    uses: ["isNan"],
    text: `fn tangent(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let size = min(abs(x), 15.0);
  if (size < 0.3) {
    let q = x * x;
    return x * (1.0 + q * (-0.33333334 + q * (0.13333334 + q * (-0.053968254 + q * 0.021869488))));
  }
  let y = 1.0 - 2.0 / (exp(2.0 * size) + 1.0);
  return select(y, -y, x < 0.0);
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
  power: {
    uses: ["isNan", "isInf", "notANumber", "infinity"],
    text: `fn power(a: f32, b: f32) -> f32 {
  if (a == 1.0 || b == 0.0) { return 1.0; }
  if (isNan(a) || isNan(b)) { return notANumber(); }
  let whole = !isInf(b) && floor(b) == b;
  let odd = whole && abs(b) < 16777216.0 && (i32(b) & 1) == 1;
  let size = abs(a);
  var y = 0.0;
  if (size == 1.0) { y = 1.0; }
  else if (isInf(b) || isInf(a) || size == 0.0) {
    let grows = (b > 0.0) == (size > 1.0);
    y = select(0.0, infinity(), grows);
  } else if (whole && abs(b) <= 64.0) {
    y = 1.0;
    var base = size;
    for (var n = u32(abs(b)); n > 0u; n >>= 1u) {
      if ((n & 1u) == 1u) { y *= base; }
      base *= base;
    }
    if (b < 0.0) { y = 1.0 / y; }
  } else if (b == 0.5) { y = sqrt(size); }
  else { y = exp2(clamp(b * log2(size), -160.0, 160.0)); }
  if (a < 0.0 && !whole && !isInf(b)) { return notANumber(); }
  return select(y, -y, a < 0.0 && odd);
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
  // Philox-4x32-10 (Salmon, Moraes, Dror, Shaw, 2011): the stream of every device.
  multiplyHigh: {
    text: `fn multiplyHigh(a: u32, b: u32) -> u32 {
  let a1 = a >> 16u;
  let a0 = a & 65535u;
  let b1 = b >> 16u;
  let b0 = b & 65535u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let carry = a0 * b1 + (middle & 65535u);
  return a1 * b1 + (middle >> 16u) + (carry >> 16u);
}`,
  },
  philox: {
    uses: ["multiplyHigh"],
    text: `fn philox(counter: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var k = seed;
  for (var i = 0; i < 10; i++) {
    let high0 = multiplyHigh(0xd2511f53u, c.x);
    let high1 = multiplyHigh(0xcd9e8d57u, c.z);
    c = vec4<u32>(high1 ^ c.y ^ k.x, 0xcd9e8d57u * c.z, high0 ^ c.w ^ k.y, 0xd2511f53u * c.x);
    k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}`,
  },
};

/** The functions that a text calls, each with those that it calls itself, once and in an order that reads well. */
export function withFunctions(text: string): string {
  const used = new Set<string>();
  const add = (name: string) => {
    if (used.has(name)) return;
    for (const other of functions[name]!.uses ?? []) add(other);
    used.add(name);
  };
  for (const name of Object.keys(functions)) if (text.includes(`${name}(`)) add(name);
  return [...[...used].map((name) => functions[name]!.text), text].join("\n");
}
