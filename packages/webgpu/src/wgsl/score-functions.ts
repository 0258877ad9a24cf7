/** WGSL functions by name. `uses`: the functions that each calls. */
export type Functions = Readonly<
  Record<string, { readonly uses?: readonly string[]; readonly text: string }>
>;

/** Functions for score expressions, which replace inaccurate or partly undefined built-in ones. Names of those end in `_`. */
export const scoreFunctions: Functions = {
  isNan: { text: "fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }" },
  isInf: { text: "fn isInf(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }" },
  // WGSL refuses constant expressions that are NaN or infinite, so the bits are in a variable.
  notANumber: { text: "fn notANumber() -> f32 { var bits = 0x7fc00000u; return bitcast<f32>(bits); }" },
  infinity: { text: "fn infinity() -> f32 { var bits = 0x7f800000u; return bitcast<f32>(bits); }" },
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
  exp_: {
    uses: ["isNan", "infinity"],
    text: `fn exp_(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  if (x > 88.7228) { return infinity(); }
  if (x < -103.98) { return 0.0; }
  return exp(x);
}`,
  },
  log_: {
    uses: ["isNan", "isInf", "notANumber", "infinity"],
    // Subnormal numbers are computed from their bits: as floats they may be flushed to 0.
    text: `fn log_(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if (bits == 0u || bits == 0x80000000u) { return -infinity(); }
  if (isNan(x) || bits > 0x80000000u) { return notANumber(); }
  if (isInf(x)) { return x; }
  if (bits < 0x800000u) { return log(f32(bits)) - 103.27893; }
  return log(x);
}`,
  },
  sqrt_: {
    uses: ["isNan", "isInf", "notANumber"],
    text: `fn sqrt_(x: f32) -> f32 {
  if (isNan(x) || x < 0.0) { return notANumber(); }
  if (isInf(x)) { return x; }
  return sqrt(x);
}`,
  },
  tanh_: {
    uses: ["isNan"],
    text: `fn tanh_(x: f32) -> f32 {
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
  pow_: {
    uses: ["isNan", "isInf", "notANumber", "infinity"],
    text: `fn pow_(a: f32, b: f32) -> f32 {
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
  // Philox-4x32-10 (Salmon, Moraes, Dror, Shaw, 2011), the random generator of every device.
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

/** A text with the score functions that it calls. */
export const withScoreFunctions = (text: string): string => withFunctionsFrom(scoreFunctions, text);

/** A text, preceded by those of the functions that it calls, directly or indirectly. */
export function withFunctionsFrom(functions: Functions, text: string): string {
  const used = new Set<string>();
  const add = (name: string) => {
    if (used.has(name)) return;
    for (const other of functions[name]!.uses ?? []) add(other);
    used.add(name);
  };
  for (const name of Object.keys(functions)) if (text.includes(`${name}(`)) add(name);
  return [...[...used].map((name) => functions[name]!.text), text].join("\n");
}
