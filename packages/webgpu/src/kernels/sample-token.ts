import type { View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { bindingsText, gridOf, mainText } from "../wgsl/grid.js";
import { withFunctions } from "../wgsl/numbers.js";
import { foldText } from "../wgsl/workgroup.js";

const width = 256;
/** Bits of a key that a pass over the logits finds: as many thresholds as they have values are compared at once. */
const bits = 4;
const thresholds = 2 ** bits;

type Sampling = {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly uniform: number;
};

/**
 * The next token, sampled from logits by temperature, top-k, top-p and min-p, and the logarithm of its probability before
 * sampling; NaN where the logits are no probabilities.
 *
 * Nothing is sorted. Logits as whole numbers of their order are keys, and what a cut keeps is a key, above which everything
 * is kept, and a number of tokens at it, in the order of ids: a search over the bits of the key finds where the sorted
 * probabilities reach a sum, sixteen thresholds in each pass of one workgroup over the logits.
 */
export function sampleTokenKernel(context: Context) {
  return (
    [logits]: readonly View[],
    [id, logprob]: readonly View[],
    { temperature, topK, topP, minP, uniform }: Sampling,
  ): boolean => {
    const { store, engine } = context;
    const [V, step] = [logits!.shape[0]!, logits!.strides[0]!];
    // Tokens are counted in float32, which knows all whole numbers up to there.
    if (logits!.dtype !== "float32" || V > 2 ** 24) return false;
    const params = new Params().u32("V", V).i32("start", logits!.offset).i32("step", step);
    params.u32("topK", Math.min(topK, V)).f32("topP", topP).f32("minP", minP);
    params.f32("temperature", temperature).f32("uniform_", uniform);
    const { subgroups } = engine;
    engine.record({
      op: "sampleToken",
      key: "sampleToken",
      text: () =>
        withFunctions(`${params.declaration}
${bindingsText({ logits: "f32" }, { id_: "i32", logprob: "f32" })}
${functionsText(subgroups)}
${mainText(width, bodyText, subgroups)}`),
      reads: [store.read(logits!)],
      writes: [store.write(id!), store.write(logprob!)],
      params,
      groups: gridOf(1),
    });
    return true;
  };
}

const each = (text: (j: number) => string, from = 0, to = thresholds) =>
  Array.from({ length: to - from }, (_, i) => text(from + i)).join("\n  ");

const functionsText = (subgroups: boolean) => `${foldText("together", "vec4<f32>", width, "a + b", subgroups)}
${foldText("largest", "f32", width, "max(a, b)", subgroups)}
${foldText("least", "u32", width, "min(a, b)", subgroups)}
var<private> most: f32;
var<workgroup> sums: array<f32, ${width}>;
var<workgroup> chosen: u32;
var<workgroup> remainder: f32;
fn logit(v: u32) -> f32 { return logits[u32(p.start + i32(v) * p.step)]; }
// Whole numbers in the order of floats; both zeros are one. That of −∞ is the least.
fn keyOf(x: f32) -> u32 {
  let bits = select(bitcast<u32>(x), 0u, x == 0.0);
  return select(bits | 0x80000000u, ~bits, bits > 0x7fffffffu);
}
fn numberOf(key: u32) -> f32 { return bitcast<f32>(select(~key, key & 0x7fffffffu, key > 0x7fffffffu)); }
fn isHidden(x: f32) -> bool { return keyOf(x) <= 0x007fffffu; }
fn exponent(x: f32) -> f32 { return (x - most) / p.temperature; }
fn weightOf(x: f32) -> f32 {
  if (isHidden(x)) { return 0.0; }
  let e = exponent(x);
  return select(exp(e), 0.0, e < -87.0);
}
// True for a token that minP leaves. Below e⁻⁷⁴⁵ a probability is 0 on the host, too.
fn counts(x: f32) -> bool { return !isHidden(x) && exponent(x) > -745.0 && weightOf(x) >= p.minP; }
fn amountOf(x: f32, byCount: bool) -> f32 {
  if (!counts(x)) { return 0.0; }
  return select(weightOf(x), 1.0, byCount);
}
// The largest key from which on upwards the tokens reach a goal, or go beyond it; 0 where they do not.
fn search(byCount: bool, beyond: bool, goal: f32, thread: u32) -> u32 {
  var low = 0u;
  for (var shift = ${32 - bits}; shift >= 0; shift -= ${bits}) {
    ${each((j) => `let at${j} = low + (${j}u << u32(shift));`)}
    ${each((i) => `var part${i} = vec4<f32>();`, 0, thresholds / 4)}
    for (var v = thread; v < p.V; v += ${width}u) {
      let x = logit(v);
      let key = keyOf(x);
      let amount = vec4<f32>(amountOf(x, byCount));
      ${each(
        (i) =>
          `part${i} += select(vec4<f32>(), amount, vec4<u32>(key) >= vec4<u32>(${[0, 1, 2, 3].map((j) => `at${4 * i + j}`).join(", ")}));`,
        0,
        thresholds / 4,
      )}
    }
    ${each((i) => `let reached${i} = together(part${i}, thread);`, 0, thresholds / 4)}
    var next = low;
    ${each((j) => {
      const amount = `reached${j >> 2}[${j % 4}]`;
      return `if (select(${amount} >= goal, ${amount} > goal, beyond)) { next = at${j}; }`;
    }, 1)}
    low = next;
  }
  return low;
}
// Probability and number of the tokens above a key, and the number of those at it.
fn around(key: u32, thread: u32) -> vec4<f32> {
  var own = vec4<f32>();
  for (var v = thread; v < p.V; v += ${width}u) {
    let x = logit(v);
    if (!counts(x)) { continue; }
    if (keyOf(x) > key) { own += vec4<f32>(weightOf(x), 1.0, 0.0, 0.0); }
    if (keyOf(x) == key) { own.z += 1.0; }
  }
  return together(own, thread);
}`;

// Kept: every token above the key \`last\`, and \`ties\` of those at it, in the order of ids.
const bodyText = `  var own = -3.4e38;
  for (var v = thread; v < p.V; v += ${width}u) {
    let x = logit(v);
    let wrong = isNan(x) || (isInf(x) && !isHidden(x));
    own = max(own, select(select(x, -3.4e38, isHidden(x)), 3.4e38, wrong));
  }
  most = largest(own, thread);
  // All probabilities, those at temperature 1, and number and probability of those that minP leaves.
  var parts = vec4<f32>();
  var lowest = 0xffffffffu;
  for (var v = thread; v < p.V; v += ${width}u) {
    let x = logit(v);
    if (isHidden(x)) { continue; }
    let weight = weightOf(x);
    parts += vec4<f32>(weight, exp(max(x - most, -87.0)), 0.0, 0.0);
    if (counts(x)) {
      parts += vec4<f32>(0.0, 0.0, 1.0, weight);
      lowest = min(lowest, keyOf(x));
    }
  }
  let all = together(parts, thread);
  var last = least(lowest, thread);
  var ties = f32(p.V);
  var mass = all.w;
  var sorted = p.topP < 1.0;
  if (p.topK < p.V) {
    let count = f32(p.topK);
    let key = search(true, false, count, thread);
    let above = around(key, thread);
    if (all.z > count) {
      sorted = true;
      last = key;
      ties = count - above.y;
      mass = above.x + ties * weightOf(numberOf(key));
    }
  }
  if (p.topP < 1.0) {
    // Of the probability that topK left.
    let goal = p.topP * select(all.x, mass, p.topK < p.V);
    let key = search(false, false, goal, thread);
    let above = around(key, thread);
    let weight = weightOf(numberOf(key));
    let count = clamp(ceil((goal - above.x) / weight), 1.0, max(1.0, above.z));
    if (key > last || (key == last && count < ties)) {
      last = key;
      ties = count;
      mass = above.x + count * weight;
    }
  }
  let goal = p.uniform_ * mass;
  // Sorted: the key that the token has, and its place among those of the same key. Else tokens are in the order of ids.
  let found = search(false, true, goal, thread);
  let key = max(found, last);
  let above = around(key, thread);
  let limit = select(above.z, min(ties, above.z), key == last) - 1.0;
  let place = select(floor((goal - above.x) / weightOf(numberOf(key))), limit, found < last);
  let target_ = select(goal, clamp(place, 0.0, limit), sorted);
  let span = (p.V + ${width - 1}u) / ${width}u;
  let end = min((thread + 1u) * span, p.V);
  var sum = 0.0;
  for (var v = thread * span; v < end; v++) {
    let x = logit(v);
    sum += select(amountOf(x, false), select(0.0, 1.0, keyOf(x) == key && counts(x)), sorted);
  }
  sums[thread] = sum;
  workgroupBarrier();
  if (thread == 0u) {
    var rest = target_;
    chosen = 0u;
    remainder = 3.4e38;
    for (var t = 0u; t < ${width}u; t++) {
      if (sums[t] > 0.0) { chosen = t; }
      if (sums[t] > rest) { remainder = rest; break; }
      rest -= sums[t];
    }
  }
  workgroupBarrier();
  if (thread == chosen) {
    var token = 0u;
    var so = 0.0;
    for (var v = thread * span; v < end; v++) {
      let x = logit(v);
      let amount = select(amountOf(x, false), select(0.0, 1.0, keyOf(x) == key && counts(x)), sorted);
      if (amount <= 0.0) { continue; }
      token = v;
      so += amount;
      if (so > remainder) { break; }
    }
    id_[0] = i32(token);
    let wrong = most >= 3.39e38 || most <= -3.39e38;
    logprob[0] = select(logit(token) - most - log(all.y), notANumber(), wrong);
  }`;
