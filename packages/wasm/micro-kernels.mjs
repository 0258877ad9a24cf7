// Generates the micro-kernels: AssemblyScript has no arrays of locals, so the accumulators of a block are written out. Each iteration
// has one step of the summed axis: with two, binaryen nests the products, which then need more registers than there are.

import { elementwiseKernels } from "./elementwise-kernels.mjs";
import { enumerations } from "./schema.mjs";

const range = (n) => Array.from({ length: n }, (_, i) => i);

/**
 * Blocks of four rows become part of the loops that call them. Node 20 (V8 11.3, no relaxed SIMD) unrolls a loop further the
 * deeper it is nested: attention takes 16 % longer there if `score4` is a call. `accumulateQueries4` has one caller, so binaryen inlines it.
 */
const inlined = (rows) => (rows === 4 ? "@inline\n" : "");

/**
 * c[rows × 8] (+)= a · b: `a` packed as [k][rows]; rows of b are read in place, `step` bytes apart. 2 · rows sums stay in registers.
 */
function product(rows) {
  const all = range(rows);
  return `
export function product${rows}(a: usize, b: usize, step: usize, k: i32, c: usize, stride: usize, add: bool): void {
${all.map((r) => `  let s${r}0 = zero(), s${r}1 = zero();`).join("\n")}
  const end = a + <usize>k * ${rows * 4};
  while (a < end) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
${all
  .map(
    (r) =>
      `    const a${r} = v128.load32_splat(a, ${r * 4}); s${r}0 = fma(a${r}, b0, s${r}0); s${r}1 = fma(a${r}, b1, s${r}1);`,
  )
  .join("\n")}
    a += ${rows * 4}; b += step;
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
 * Scores of successive keys are \`row\` bytes apart.
 */
function keysByQueries(keys, row) {
  const all = range(keys);
  return `
${inlined(keys)}export function score${keys}(key: usize, stride: usize, query: usize, dim: i32, scores: usize): void {
${all.map((r) => `  let k${r} = key + stride * ${r};`).join("\n")}
${all.map((r) => `  let s${r}0 = zero(), s${r}1 = zero();`).join("\n")}
  const end = query + ((<usize>dim) << 5);
  while (query < end) {
    const q0 = v128.load(query), q1 = v128.load(query, 16);
${all
  .map(
    (r) =>
      `    const x${r} = v128.load32_splat(k${r}); k${r} += 4; s${r}0 = fma(x${r}, q0, s${r}0); s${r}1 = fma(x${r}, q1, s${r}1);`,
  )
  .join("\n")}
    query += 32;
  }
${all.map((r) => `  v128.store(scores, s${r}0, ${r * row}); v128.store(scores, s${r}1, ${r * row + 16});`).join("\n")}
}`;
}

/**
 * sums[queries × 8 dims] = sums · correction + Σ weight · value: weights of successive keys are
 * \`row\` bytes apart; values are read in place, \`stride\` bytes apart.
 */
function weightsByValues(queries, row) {
  const all = range(queries);
  return `
export function accumulateQueries${queries}(weights: usize, value: usize, stride: usize, keys: i32, sums: usize, width: usize, correction: usize): void {
${all
  .map(
    (r) =>
      `  const a${r} = v128.load32_splat(correction, ${r * 4}); let s${r}0 = f32x4.mul(a${r}, v128.load(sums + width * ${r})), s${r}1 = f32x4.mul(a${r}, v128.load(sums + width * ${r}, 16));`,
  )
  .join("\n")}
  const end = weights + <usize>keys * ${row};
  while (weights < end) {
    const v0 = v128.load(value), v1 = v128.load(value, 16);
${all
  .map(
    (r) =>
      `    const w${r} = v128.load32_splat(weights, ${r * 4}); s${r}0 = fma(w${r}, v0, s${r}0); s${r}1 = fma(w${r}, v1, s${r}1);`,
  )
  .join("\n")}
    weights += ${row}; value += stride;
  }
${all.map((r) => `  v128.store(sums + width * ${r}, s${r}0); v128.store(sums + width * ${r}, s${r}1, 16);`).join("\n")}
}`;
}

/**
 * sums[keys × 8 dims] += Σ over queries of weight · row: weights of successive keys are \`row\` bytes apart; the queries'
 * rows are read in place, \`stride\` bytes apart.
 */
function keysByDims(keys, row) {
  const all = range(keys);
  return `
export function gather${keys}(weights: usize, from: usize, stride: usize, queries: i32, sums: usize, width: usize): void {
${all.map((r) => `  let s${r}0 = v128.load(sums + width * ${r}), s${r}1 = v128.load(sums + width * ${r}, 16);`).join("\n")}
  const end = weights + (<usize>queries << 2);
  while (weights < end) {
    const x0 = v128.load(from), x1 = v128.load(from, 16);
${all
  .map(
    (r) =>
      `    const w${r} = v128.load32_splat(weights, ${r * row}); s${r}0 = fma(w${r}, x0, s${r}0); s${r}1 = fma(w${r}, x1, s${r}1);`,
  )
  .join("\n")}
    weights += 4; from += stride;
  }
${all.map((r) => `  v128.store(sums + width * ${r}, s${r}0); v128.store(sums + width * ${r}, s${r}1, 16);`).join("\n")}
}`;
}

/**
 * Dot products of one query of \`heads\` heads with four keys: four numbers for each head. Keys are read once.
 */
function dotsOfFour(heads) {
  const [all, four] = [range(heads), range(4)];
  const pairs = all.flatMap((h) => four.map((k) => [h, k]));
  return `
export function dots${heads}x4(key: usize, stride: usize, query: usize, queryStep: usize, bytes: usize, scores: usize, step: usize): void {
${four.map((k) => `  let k${k} = key + stride * ${k};`).join("\n")}
${pairs.map(([h, k]) => `  let s${h}${k} = zero();`).join("\n")}
  for (const end = query + bytes; query < end; query += 16) {
${all.map((h) => `    const q${h} = v128.load(query + queryStep * ${h});`).join("\n")}
${four.map((k) => `    const x${k} = v128.load(k${k}); k${k} += 16; ${all.map((h) => `s${h}${k} = fma(x${k}, q${h}, s${h}${k});`).join(" ")}`).join("\n")}
  }
${all.map((h) => `  v128.store(scores + step * ${h}, sumFourVectors(s${h}0, s${h}1, s${h}2, s${h}3));`).join("\n")}
}`;
}

/** output[heads × 4 · vectors] += Σ over keys of weight · value, for one query of \`heads\` heads. */
function accumulate(heads, vectors) {
  const [all, each] = [range(heads), range(vectors)];
  const pairs = all.flatMap((h) => each.map((v) => [h, v]));
  return `
export function accumulate${heads}x${vectors}(weights: usize, weightStep: usize, value: usize, stride: usize, keys: i32, output: usize, outputStep: usize): void {
${pairs.map(([h, v]) => `  let s${h}${v} = v128.load(output + outputStep * ${h}, ${16 * v});`).join("\n")}
  const end = weights + (<usize>keys << 2);
  while (weights < end) {
${all.map((h) => `    const w${h} = v128.load32_splat(weights + weightStep * ${h});`).join("\n")}
${each.map((v) => `    const x${v} = v128.load(value, ${16 * v}); ${all.map((h) => `s${h}${v} = fma(w${h}, x${v}, s${h}${v});`).join(" ")}`).join("\n")}
    weights += 4; value += stride;
  }
${pairs.map(([h, v]) => `  v128.store(output + outputStep * ${h}, s${h}${v}, ${16 * v});`).join("\n")}
}`;
}

/**
 * sums[rows × 8 outputs] = activations · weights in integers: activations packed as [step][rows][4], with 1 to 127 for -63 to 63;
 * weights as [step][8][4]. There is at least one step.
 */
function bytesProduct(rows) {
  const all = range(rows);
  return `
export function dotFast${rows}(a: usize, b: usize, steps: i32, sums: usize): void {
${all.map((r) => `  let s${r}0 = i32x4.splat(0), s${r}1 = i32x4.splat(0);`).join("\n")}
  const end = b + (<usize>steps << 5);
  do {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
${all.map((r) => `    const a${r} = v128.load32_splat(a, ${4 * r}); s${r}0 = dotFast(b0, a${r}, s${r}0); s${r}1 = dotFast(b1, a${r}, s${r}1);`).join("\n")}
    a += ${4 * rows}; b += 32;
  } while (b < end);
${all.map((r) => `  v128.store(sums, s${r}0, ${32 * r}); v128.store(sums, s${r}1, ${32 * r + 16});`).join("\n")}
}`;
}

/**
 * sums[8 outputs] = one row of activations · a panel of weights, minus 64 · the sums of the weights. Two steps at a time, with
 * independent sums.
 */
function bytesRow(dot) {
  const step = (n, [s0, s1, t0, t1]) => `
    const x${n} = v128.load32_splat(a, ${4 * n}), b${2 * n} = v128.load(panel, ${32 * n}), b${2 * n + 1} = v128.load(panel, ${32 * n + 16});
    ${s0} = ${dot}(b${2 * n}, x${n}, ${s0}); ${t0} = ${dot}(b${2 * n}, sixtyFour, ${t0});
    ${s1} = ${dot}(b${2 * n + 1}, x${n}, ${s1}); ${t1} = ${dot}(b${2 * n + 1}, sixtyFour, ${t1});`;
  return `
export function ${dot}Row(a: usize, panel: usize, steps: i32, sums: usize): void {
${range(4)
  .map((n) => `  let s${n} = i32x4.splat(0), t${n} = i32x4.splat(0);`)
  .join("\n")}
  const sixtyFour = i8x16.splat(64);
  for (const end = a + (<usize>(steps & ~1) << 2); a < end; a += 8, panel += 64) {${step(0, ["s0", "s1", "t0", "t1"])}${step(1, ["s2", "s3", "t2", "t3"])}
  }
  if (steps & 1) {${step(0, ["s0", "s1", "t0", "t1"])}
  }
  v128.store(sums, i32x4.sub(i32x4.add(s0, s2), i32x4.add(t0, t2)));
  v128.store(sums, i32x4.sub(i32x4.add(s1, s3), i32x4.add(t1, t3)), 16);
}`;
}

/** sums[8 outputs] = 64 · the sums of a panel's weights. */
function bytesSums(dot) {
  return `
export function ${dot}Sums(panel: usize, steps: i32, sums: usize): void {
  let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  const sixtyFour = i8x16.splat(64);
  for (const end = panel + (<usize>(steps & ~1) << 5); panel < end; panel += 64) {
${range(4)
  .map((n) => `    s${n} = ${dot}(v128.load(panel, ${16 * n}), sixtyFour, s${n});`)
  .join("\n")}
  }
  if (steps & 1) {
${range(2)
  .map((n) => `    s${n} = ${dot}(v128.load(panel, ${16 * n}), sixtyFour, s${n});`)
  .join("\n")}
  }
  v128.store(sums, i32x4.add(s0, s2));
  v128.store(sums, i32x4.add(s1, s3), 16);
}`;
}

/** Bytes between the scores of two keys of a tile: those of 64 queries. */
const row = 64 * 4;

/** Steps of an expression with one operand x, and the gradient of x from dy. */
const unarySteps = {
  neg: ["f32x4.neg(x)", "f32x4.neg(dy)"],
  abs: ["f32x4.abs(x)", "f32x4.mul(dy, sign4(x))"],
  exp: ["exp4(x)", "f32x4.mul(dy, y)"],
  log: ["log4(x)", "zeroWhere(dy, f32x4.div(dy, x))"],
  tanh: ["tanh4(x)", "f32x4.mul(dy, f32x4.sub(f32x4.splat(1), f32x4.mul(y, y)))"],
  sqrt: ["f32x4.sqrt(x)", "zeroWhere(dy, f32x4.div(dy, f32x4.add(y, y)))"],
  floor: ["f32x4.floor(x)"],
  not: ["truth(f32x4.eq(x, zero()))"],
};

/** Steps with two operands, and the gradients of a and b from dy. If both are equal, `min` and `max` return a. */
const binarySteps = {
  add: ["f32x4.add(a, b)", "dy", "dy"],
  sub: ["f32x4.sub(a, b)", "dy", "f32x4.neg(dy)"],
  mul: ["f32x4.mul(a, b)", "f32x4.mul(dy, b)", "f32x4.mul(dy, a)"],
  div: [
    "f32x4.div(a, b)",
    "zeroWhere(dy, f32x4.div(dy, b))",
    "zeroWhere(dy, f32x4.neg(f32x4.div(f32x4.mul(dy, a), f32x4.mul(b, b))))",
  ],
  min: ["f32x4.min(a, b)", "v128.and(dy, f32x4.le(a, b))", "v128.andnot(dy, f32x4.le(a, b))"],
  max: ["f32x4.max(a, b)", "v128.and(dy, f32x4.ge(a, b))", "v128.andnot(dy, f32x4.ge(a, b))"],
  less: ["truth(f32x4.lt(a, b))"],
  lessEqual: ["truth(f32x4.le(a, b))"],
  greater: ["truth(f32x4.gt(a, b))"],
  greaterEqual: ["truth(f32x4.ge(a, b))"],
  equal: ["truth(f32x4.eq(a, b))"],
  and: ["truth(v128.and(f32x4.ne(a, zero()), f32x4.ne(b, zero())))"],
  or: ["truth(v128.or(f32x4.ne(a, zero()), f32x4.ne(b, zero())))"],
};

/** A loop over a strip: \`rows\` keys, each with \`bytes\` bytes of queries. */
const overStrip = (body) =>
  `for (let r = 0, at: usize = 0; r < rows; r++, at += ${row}) for (let i = at; i < at + bytes; i += 16) { ${body} }`;

const { StepCode } = enumerations;

const stepKernels = `
export function unaryStep(op: i32, to: usize, from: usize, rows: i32, bytes: usize): void {
  switch (op) {
${Object.entries(unarySteps)
  .map(
    ([name, [f]]) =>
      `    case ${StepCode[name]}: ${overStrip(`const x = v128.load(from + i); v128.store(to + i, ${f});`)} break;`,
  )
  .join("\n")}
  }
}

export function unarySlope(op: i32, dFrom: usize, dTo: usize, from: usize, to: usize, rows: i32, bytes: usize): void {
  switch (op) {
${Object.entries(unarySteps)
  .map(([name, [, slope]]) =>
    slope === undefined
      ? ""
      : `    case ${StepCode[name]}: ${overStrip(`const x = v128.load(from + i), y = v128.load(to + i), dy = v128.load(dTo + i); v128.store(dFrom + i, f32x4.add(v128.load(dFrom + i), ${slope}));`)} break;`,
  )
  .join("\n")}
  }
}

export function binaryStep(op: i32, to: usize, first: usize, second: usize, rows: i32, bytes: usize): void {
  switch (op) {
${Object.entries(binarySteps)
  .map(
    ([name, [f]]) =>
      `    case ${StepCode[name]}: ${overStrip(`const a = v128.load(first + i), b = v128.load(second + i); v128.store(to + i, ${f});`)} break;`,
  )
  .join("\n")}
  }
}

${["first", "second"]
  .map(
    (side, which) => `
/** Gradient of the ${side} operand. */
export function ${side}Slope(op: i32, dSide: usize, dTo: usize, first: usize, second: usize, rows: i32, bytes: usize): void {
  switch (op) {
${Object.entries(binarySteps)
  .map(([name, step]) => {
    const slope = step[1 + which];
    return slope === undefined
      ? ""
      : `    case ${StepCode[name]}: ${overStrip(`const a = v128.load(first + i), b = v128.load(second + i), dy = v128.load(dTo + i); v128.store(dSide + i, f32x4.add(v128.load(dSide + i), ${slope}));`)} break;`;
  })
  .join("\n")}
  }
}`,
  )
  .join("\n")}`;

export const microKernels = `// Written by micro-kernels.mjs.
import {
  exp4, gelu4, geluSlope4, geluTanh4, geluTanhSlope4, log4, fma, sign4, siluSlope4, softplus4, sumFourVectors, swish4, tanh4, truth, zeroWhere, zero,
} from "./lanes";
import { dotFast, dotPlain } from "./bytes";
${[4, 6].map(product).join("\n")}
${[1, 4, 6].map((n) => keysByQueries(n, row)).join("\n")}
${[1, 4, 6].map((n) => weightsByValues(n, row)).join("\n")}
${[1, 4, 6].map((n) => keysByDims(n, row)).join("\n")}
${[1, 2].map(dotsOfFour).join("\n")}
${[2, 8, 16].map((vectors) => accumulate(1, vectors)).join("\n")}
${[2, 4].map((vectors) => accumulate(2, vectors)).join("\n")}
${[6, 4].map(bytesProduct).join("\n")}
${["dotFast", "dotPlain"].flatMap((dot) => [bytesRow(dot), bytesSums(dot)]).join("\n")}
${stepKernels}
${elementwiseKernels}
`;
