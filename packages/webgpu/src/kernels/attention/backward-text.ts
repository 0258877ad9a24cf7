import { bindingsText } from "../../wgsl/grid.js";
import { withFunctions } from "../../wgsl/numbers.js";
import {
  accumulateText,
  reductionText,
  blockSize,
  vec4sPerThread,
  dotsText,
  each,
  pitch,
  queryBlockText,
  sharedText,
  storeRowsText,
} from "./block-text.js";
import type { CallLayout } from "./call-layout.js";
import { maskedFrom } from "./expression-text.js";
import { expressionGradientText } from "./expression-gradient-text.js";

/** Number of words of a row's state: the largest score, 1 / sum, and Σ w dw − dlse. */
export const stateWords = 3;

/** The outputs that a call has gradients of, besides lse. */
export type OutputGradients = {
  readonly output: boolean;
  /** Traces. Their gradients are in the words, from the parameters `dotsAt`, … on. */
  readonly traces: ReadonlySet<"dots" | "capped" | "scores" | "weights">;
};

/** True if masked pairs have a gradient, too. */
export const everyPair = ({ traces }: OutputGradients) => traces.has("dots") || traces.has("capped");

/** WGSL that reads the state of a row from the words. A buffer of its own would need a binding in each pass. */
export const stateText = `fn rowState(row: u32) -> vec3<f32> {
  let at = p.stateAt + row * ${stateWords}u;
  return bitcast<vec3<f32>>(vec3<i32>(words[at], words[at + 1u], words[at + 2u]));
}`;

/**
 * WGSL of `pair`, which computes from the two dot products of a pair (query · key and dO · value): [the weight after
 * `weightMod`, the gradient of query · key, w dw].
 *
 * With the weight w and u = weightMod(w), du = dO · v: dw = weightMod′ du, ds = w (dw − Σ w dw + dlse), and then back through
 * `scoreMod`, the softcap and the scale.
 */
export function pairText(layout: CallLayout, outputGradients: OutputGradients): string {
  const { scoreMod, weightMod, softcap } = layout;
  const { traces } = outputGradients;
  const traced = (name: "dots" | "capped" | "scores" | "weights", to: string, condition = "") =>
    traces.has(name)
      ? `${condition}{ ${to} += bitcast<f32>(words[p.${name}At + ((b * p.H + h) * p.T + t) * p.S + s]); }`
      : "";
  const place = "f32(b), f32(h), queryPosition(b, t), keyPosition(b, h / p.group, s)";
  return `fn pair(dots: f32, du: f32, state: vec3<f32>, seen: bool, b: u32, h: u32, t: u32, s: u32) -> vec3<f32> {
  let scaled = dots * p.scale;
  let capped = softcapped(scaled);
  let x = unmaskedScore(dots, b, h, t, s);
  var modified = 0.0;
  var weighted = 0.0;
  var slope = 0.0;
  if (seen && (isNan(x) || x > ${maskedFrom})) {
    // By rounding, recomputed scores may exceed the largest score a little.
    let w = exp(min(x - state.x, 80.0)) * state.y;
    modified = ${weightMod ? `modifiedWeight(w, ${place})` : "w"};
    var dw = ${weightMod ? `weightSlope(w, ${place}, du)` : "du"};
    ${traced("weights", "dw")}
    weighted = w * dw;
    slope = w * (dw - state.z);
  }${
    traces.size === 0
      ? ` else {
    return vec3<f32>();
  }`
      : ""
  }
  ${traced("scores", "slope", "if (seen) ")}
  ${scoreMod ? `slope = scoreSlope(capped, ${place}, slope);` : ""}
  ${traced("capped", "slope")}
  ${softcap ? "slope *= 1.0 - (capped / p.softcap) * (capped / p.softcap);" : ""}
  ${traced("dots", "slope")}
  return vec3<f32>(modified, slope * p.scale, weighted);
}`;
}

/**
 * WGSL of `scoreSlope` and `weightSlope`, the derivatives of `scoreMod` and `weightMod`, for passes other than those of the tables'
 * gradients.
 */
export const slopesText = ({ scoreMod, weightMod }: CallLayout): string =>
  `${scoreMod ? expressionGradientText("scoreSlope", scoreMod, "table") : ""}
${weightMod ? expressionGradientText("weightSlope", weightMod, "wtable") : ""}`;

/** WGSL of the dot products of a block: `s0` to `s3` of queries and keys, `u0` to `u3` of the output's gradient and values. */
export const productsText = ({ sizes: { D, Dv } }: CallLayout, { output }: OutputGradients): string =>
  `${dotsText({ size: D, first: "query4(b, h, ", second: "key4(b, g, ", to: "s" })}
    ${
      output
        ? dotsText({ size: Dv, first: "dOutput4(b, h, ", second: "value4(b, g, ", to: "u" })
        : each(4, (r) => `let u${r} = vec4<f32>();`)
    }`;

/**
 * WGSL that runs statements for each pair of the block that is not masked, or for every pair if masked ones have a gradient.
 * It is a loop, not unrolled sixteen times, because drivers take milliseconds to compile each line.
 *
 * @param line - Statements for pair `n` of a thread's four by four, with the result of `pair` as `x`.
 */
export const pairsText = (outputGradients: OutputGradients, line: string) => {
  const every = everyPair(outputGradients);
  return `var dots = array<vec4<f32>, 4>(s0, s1, s2, s3);
    var products = array<vec4<f32>, 4>(u0, u1, u2, u3);
    for (var n = 0u; n < 16u; n++) {
      let r = n / 4u;
      let c = n % 4u;
      let t = t0 + ty * 4u + r;
      let s = keyStart + tx * 4u + c;
      if (t >= p.T || s >= p.S) { continue; }
      let seen = ${every ? "(tile & 3u) != 0u && " : ""}((seenBits(tile, t, half) >> (tx * 4u + c)) & 1u) == 1u;
      ${every ? "" : "if (!seen) { continue; }"}
      let x = pair(dots[r][c], products[r][c], states[r], seen, b, h, t, s);
      ${line}
    }`;
};

/** WGSL that reads the states of a thread's four rows. */
export const statesText = `var states = array<vec3<f32>, 4>();
  for (var r = 0u; r < 4u; r++) {
    if (t0 + ty * 4u + r < p.T) { states[r] = rowState((b * p.H + h) * p.T + t0 + ty * 4u + r); }
  }`;

/** WGSL that opens a loop over the blocks of 32 keys that 32 queries see. It must be closed with two braces. */
export const keyLoopText = (outputGradients: OutputGradients): string => `${
  everyPair(outputGradients)
    ? "let columns = vec2<u32>(0u, p.columns);"
    : "let columns = rowBounds(b, h, t0 / 64u);"
}
  for (var column = columns.x; column < columns.y; column++) {
    let tile = tileWord(b, h, t0 / 64u, column);
    ${everyPair(outputGradients) ? "" : "if ((tile & 3u) == 0u) { continue; }"}
    for (var half = 0u; half < 2u; half++) {
    let keyStart = column * 64u + half * 32u;
    if (keyStart >= p.S) { break; }`;

export const mainText = `@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let ty = thread / 8u;
  let tx = thread % 8u;`;

const weightsText = `var<workgroup> weights: array<vec4<f32>, ${blockSize * pitch}>;`;

/** WGSL before `main`: parameters, bindings (`written`: those that the pass writes), and the functions of the call. */
export const headerText = (
  { params, bindings, text }: CallLayout,
  written: Readonly<Record<string, string>>,
): string => `${params.declaration}
${bindingsText(Object.fromEntries(Object.entries(bindings).filter(([name]) => !(name in written))), written)}
${text}
${stateText}`;

/** The gradient of queries: each workgroup computes 32 queries of a head, in a loop over the keys that they see. */
export function queryGradientText(layout: CallLayout, outputGradients: OutputGradients): string {
  const { sizes, masksItself } = layout;
  const { D } = sizes;
  return withFunctions(`${headerText(layout, { dQuery: "f32" })}
${slopesText(layout)}
${pairText(layout, outputGradients)}
${sharedText()}
${weightsText}
${mainText}
  ${queryBlockText}
  ${each(4 * vec4sPerThread(D), (i) => `var sum${i} = vec4<f32>();`)}
  ${statesText}
  ${keyLoopText(outputGradients)}
    ${productsText(layout, outputGradients)}
    var slopes = mat4x4<f32>();
    ${pairsText(outputGradients, "slopes[c][r] = x.y;")}
    ${each(4, (c) => `weights[(tx * 4u + ${c}u) * ${pitch}u + ty] = slopes[${c}];`)}
    ${accumulateText({ size: D, to: "sum", row: "key4(b, g, ", first: "keyStart", end: "p.S", guarded: masksItself || everyPair(outputGradients) })}
    }
  }
  ${storeRowsText({ size: D, to: "sum", output: "dQuery", head: "(b * p.H + h)", first: "t0", end: "p.T" })}
}`);
}

/**
 * Adds Σ w dw to the state of each row. It equals dO · O only without `weightMod` and without gradients of traced weights.
 */
export function rowSumText(layout: CallLayout, outputGradients: OutputGradients): string {
  return withFunctions(`${headerText(layout, { words: "i32" })}
${slopesText(layout)}
${pairText(layout, outputGradients)}
${sharedText()}
${reductionText()}
${mainText}
  ${queryBlockText}
  var sum = vec4<f32>();
  ${statesText}
  ${keyLoopText(outputGradients)}
    ${productsText(layout, outputGradients)}
    ${pairsText(outputGradients, "sum[r] += x.z;")}
    }
  }
  sum = total(sum, thread);
  if (tx == 0u) {
    ${each(4, (r) => `if (t0 + ty * 4u + ${r}u < p.T) { words[p.stateAt + ((b * p.H + h) * p.T + t0 + ty * 4u + ${r}u) * ${stateWords}u + 2u] = bitcast<i32>(states[${r}].z + sum[${r}]); }`)}
  }
}`);
}

/** Largest number of vec4s of keys and values that a thread accumulates: beyond, keys and values have a pass each. */
const maxColumns = 8;

/** True if one pass accumulates the gradients of both keys and values. */
export const inOnePass = ({ D, Dv }: CallLayout["sizes"]) =>
  vec4sPerThread(D) + vec4sPerThread(Dv) <= maxColumns;

// WGSL of the range of tile rows that see a column of tiles: the first, and the end (exclusive).
const columnBoundsText = `fn columnBounds(b: u32, h: u32, column: u32) -> vec2<u32> {
  let at = p.columnBoundsAt + 2u * ((b * p.planBatch + h * p.planHead) / max(p.planRows, 1u) + column);
  return vec2<u32>(plan[at], plan[at + 1u]);
}`;

/**
 * The gradients of keys and values: each workgroup computes 32 keys of a key-value head, in a loop over the queries of its
 * group of heads that see them. A unit of work is such a block of keys, of one head of one sequence.
 *
 * @param of - Gradients that this pass computes.
 */
export function keyGradientText(
  layout: CallLayout,
  outputGradients: OutputGradients,
  of: { readonly keys: boolean; readonly values: boolean },
): string {
  const { sizes, masksItself } = layout;
  const { D, Dv } = sizes;
  const guarded = masksItself || everyPair(outputGradients);
  const values = of.values && outputGradients.output;
  const lines = (name: string) =>
    each(4, (r) => `weights[(ty * 4u + ${r}u) * ${pitch}u + tx] = ${name}[${r}];`);
  return withFunctions(`${headerText(layout, { ...(of.keys && { dKey: "f32" }), ...(of.values && { dValue: "f32" }) })}
${columnBoundsText}
${slopesText(layout)}
${pairText(layout, outputGradients)}
${sharedText()}
${weightsText}
${mainText}
  let unit = p.firstUnit + id.y * 32768u + id.x;
  if (unit >= p.endUnit) { return; }
  let blocks = (p.S + ${blockSize - 1}u) / ${blockSize}u;
  let heads = p.H / p.group;
  let keyStart = unit % blocks * ${blockSize}u;
  let column = keyStart / 64u;
  let half = keyStart / 32u % 2u;
  let g = unit / blocks % heads;
  let b = unit / blocks / heads;
  ${of.keys ? each(4 * vec4sPerThread(D), (i) => `var keySum${i} = vec4<f32>();`) : ""}
  ${of.values ? each(4 * vec4sPerThread(Dv), (i) => `var valueSum${i} = vec4<f32>();`) : ""}
  for (var h = g * p.group; h < (g + 1u) * p.group; h++) {
  ${everyPair(outputGradients) ? "let tileRows = vec2<u32>(0u, p.planRows);" : "let tileRows = columnBounds(b, h, column);"}
  for (var tileRow = tileRows.x; tileRow < tileRows.y; tileRow++) {
    let tile = tileWord(b, h, tileRow, column);
    ${everyPair(outputGradients) ? "" : "if ((tile & 3u) == 0u) { continue; }"}
    for (var part = 0u; part < 2u; part++) {
    let t0 = tileRow * 64u + part * 32u;
    if (t0 >= p.T) { break; }
    ${statesText}
    ${productsText(layout, { ...outputGradients, output: outputGradients.output && of.keys })}
    ${values ? "var modified = mat4x4<f32>();" : ""}
    ${of.keys ? "var slopes = mat4x4<f32>();" : ""}
    ${pairsText(outputGradients, `${values ? "modified[r][c] = x.x;" : ""} ${of.keys ? "slopes[r][c] = x.y;" : ""}`)}
    ${values ? `${lines("modified")}\n${accumulateText({ size: Dv, to: "valueSum", row: "dOutput4(b, h, ", first: "t0", end: "p.T", guarded })}` : ""}
    ${of.keys ? `${lines("slopes")}\n${accumulateText({ size: D, to: "keySum", row: "query4(b, h, ", first: "t0", end: "p.T", guarded })}` : ""}
    }
  }
  }
  ${of.keys ? storeRowsText({ size: D, to: "keySum", output: "dKey", head: "(b * heads + g)", first: "keyStart", end: "p.S" }) : ""}
  ${of.values ? storeRowsText({ size: Dv, to: "valueSum", output: "dValue", head: "(b * heads + g)", first: "keyStart", end: "p.S" }) : ""}
}`);
}
