// Generates the loops of elementwise functions. Each function is a formula of vectors; rows that are not contiguous are copied before.

/** Formulas of x. `alpha` is an attribute of the op. */
const unary = {
  copy: "x",
  neg: "f32x4.neg(x)",
  abs: "f32x4.abs(x)",
  exp: "exp4(x)",
  log: "log4(x)",
  tanh: "tanh4(x)",
  sqrt: "f32x4.sqrt(x)",
  rsqrt: "f32x4.div(one, f32x4.sqrt(x))",
  reciprocal: "f32x4.div(one, x)",
  floor: "f32x4.floor(x)",
  ceil: "f32x4.ceil(x)",
  sign: "sign4(x)",
  relu: "f32x4.max(x, zero())",
  sigmoid: "f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))))",
  silu: "swish4(x, one)",
  swish: "swish4(x, f32x4.splat(alpha))",
  gelu: "gelu4(x)",
  geluTanh: "geluTanh4(x)",
  geluSlope: "geluSlope4(x)",
  geluTanhSlope: "geluTanhSlope4(x)",
  siluSlope: "siluSlope4(x)",
  softplus: "softplus4(x)",
};

/** Formulas of a and b. */
const arithmetic = {
  add: "f32x4.add(a, b)",
  sub: "f32x4.sub(a, b)",
  mul: "f32x4.mul(a, b)",
  div: "f32x4.div(a, b)",
  maximum: "f32x4.max(a, b)",
  minimum: "f32x4.min(a, b)",
};

/** Comparisons of a and b: all bits are set where they hold. */
const comparisons = {
  less: "f32x4.lt(a, b)",
  lessEqual: "f32x4.le(a, b)",
  greater: "f32x4.gt(a, b)",
  greaterEqual: "f32x4.ge(a, b)",
  equal: "f32x4.eq(a, b)",
  notEqual: "f32x4.ne(a, b)",
};

const binary = { ...arithmetic, ...comparisons };

/** Names of the functions, in the order of their cases. */
export const functions = {
  unaryFunctions: Object.keys(unary),
  binaryFunctions: Object.keys(binary),
  comparisonFunctions: Object.keys(comparisons),
};

const cases = (formulas, body) =>
  Object.values(formulas)
    .map((formula, op) => `    case ${op}: for (; y < end; y += 16) { ${body(formula)} } break;`)
    .join("\n");

export const elementwiseKernels = `
/** y = f(x), for \`bytes\` bytes, a multiple of 16. */
export function unaryVectors(op: i32, x: usize, y: usize, bytes: usize, alpha: f32): void {
  const one = f32x4.splat(1);
  const end = y + bytes;
  const from = x - y;
  switch (op) {
${cases(unary, (formula) => `const x = v128.load(y + from); v128.store(y, ${formula});`)}
  }
}

/** y = f(a, b), for \`bytes\` bytes, a multiple of 16. */
export function binaryVectors(op: i32, a: usize, b: usize, y: usize, bytes: usize): void {
  const end = y + bytes;
  const first = a - y, second = b - y;
  switch (op) {
${cases(binary, (formula) => `const a = v128.load(y + first), b = v128.load(y + second); v128.store(y, ${formula});`)}
  }
}
`;
