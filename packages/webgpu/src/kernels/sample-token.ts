import type { View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { bindingsText, gridFor, mainText } from "../wgsl/grid.js";
import { withFunctions } from "../wgsl/numbers.js";
import { foldText } from "../wgsl/workgroup.js";

const width = 256;
/** Bits of a sort key that one pass over the logits determines, by comparing with 2^bits thresholds. */
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
 * The next token, sampled from logits with temperature, top-k, top-p and min-p, and the logarithm of its probability at
 * temperature 1 without these filters; NaN if a logit is NaN or ∞.
 *
 * Nothing is sorted. Each logit has a sort key, an integer in the same order. A filter keeps all tokens above a key and a number
 * of tokens at that key (ties), in the order of ids. A radix search over the bits of the key finds where the cumulative
 * probability reaches a sum: each pass of the workgroup over the logits compares sixteen thresholds.
 */
export function sampleTokenKernel(context: Context) {
  return (
    [logits]: readonly View[],
    [id, logprob]: readonly View[],
    { temperature, topK, topP, minP, uniform }: Sampling,
  ): boolean => {
    const { store, engine } = context;
    const [V, step] = [logits!.shape[0]!, logits!.strides[0]!];
    // Tokens are counted in float32, which represents all integers up to 2²⁴.
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
      groups: gridFor(1),
    });
    return true;
  };
}

const each = (text: (j: number) => string, from = 0, to = thresholds) =>
  Array.from({ length: to - from }, (_, i) => text(from + i)).join("\n  ");

const functionsText = (subgroups: boolean) => `${foldText("together", "vec4<f32>", width, "a + b", subgroups)}
${foldText("largest", "f32", width, "max(a, b)", subgroups)}
${foldText("least", "u32", width, "min(a, b)", subgroups)}
var<private> maxLogit: f32;
var<workgroup> sums: array<f32, ${width}>;
var<workgroup> chosen: u32;
var<workgroup> remainder: f32;
fn logit(v: u32) -> f32 { return logits[u32(p.start + i32(v) * p.step)]; }
// Integers in the order of the floats; −0 equals 0, and the key of −∞ is the least.
fn sortKey(x: f32) -> u32 {
  let bits = select(bitcast<u32>(x), 0u, x == 0.0);
  return select(bits | 0x80000000u, ~bits, bits > 0x7fffffffu);
}
fn fromSortKey(key: u32) -> f32 { return bitcast<f32>(select(~key, key & 0x7fffffffu, key > 0x7fffffffu)); }
fn isMasked(x: f32) -> bool { return sortKey(x) <= 0x007fffffu; }
fn exponent(x: f32) -> f32 { return (x - maxLogit) / p.temperature; }
fn probability(x: f32) -> f32 {
  if (isMasked(x)) { return 0.0; }
  let e = exponent(x);
  return select(exp(e), 0.0, e < -87.0);
}
// The least key that min-p keeps; 0 before min-p is applied, which is last.
var<private> leastKey: u32;
// Below e⁻⁷⁴⁵ a probability is 0 on the host, too.
fn isCandidate(x: f32) -> bool { return !isMasked(x) && exponent(x) > -745.0 && sortKey(x) >= leastKey; }
fn amount(x: f32, byCount: bool) -> f32 {
  if (!isCandidate(x)) { return 0.0; }
  return select(probability(x), 1.0, byCount);
}
// The largest key whose tokens, with those of larger keys, reach the goal or exceed it; 0 if none.
fn search(byCount: bool, beyond: bool, goal: f32, thread: u32) -> u32 {
  var low = 0u;
  for (var shift = ${32 - bits}; shift >= 0; shift -= ${bits}) {
    ${each((j) => `let at${j} = low + (${j}u << u32(shift));`)}
    ${each((i) => `var part${i} = vec4<f32>();`, 0, thresholds / 4)}
    for (var v = thread; v < p.V; v += ${width}u) {
      let x = logit(v);
      let key = sortKey(x);
      let counted = vec4<f32>(amount(x, byCount));
      ${each(
        (i) =>
          `part${i} += select(vec4<f32>(), counted, vec4<u32>(key) >= vec4<u32>(${[0, 1, 2, 3].map((j) => `at${4 * i + j}`).join(", ")}));`,
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
// Probability and number of the tokens above a key, and the number of tokens at the key.
fn sumsAround(key: u32, thread: u32) -> vec4<f32> {
  var partial = vec4<f32>();
  for (var v = thread; v < p.V; v += ${width}u) {
    let x = logit(v);
    if (!isCandidate(x)) { continue; }
    if (sortKey(x) > key) { partial += vec4<f32>(probability(x), 1.0, 0.0, 0.0); }
    if (sortKey(x) == key) { partial.z += 1.0; }
  }
  return together(partial, thread);
}`;

// The filters keep all tokens above the key `last`, and the first `ties` of those at it in the order of ids.
const bodyText = `  var partial = -3.4e38;
  for (var v = thread; v < p.V; v += ${width}u) {
    let x = logit(v);
    let invalid = isNan(x) || (isInf(x) && !isMasked(x));
    partial = max(partial, select(select(x, -3.4e38, isMasked(x)), 3.4e38, invalid));
  }
  maxLogit = largest(partial, thread);
  // Sums: probabilities, those at temperature 1, number and probability of the candidates.
  var parts = vec4<f32>();
  var lowest = 0xffffffffu;
  var likely = 0xffffffffu; // the least key that min-p keeps
  for (var v = thread; v < p.V; v += ${width}u) {
    let x = logit(v);
    if (isMasked(x)) { continue; }
    let weight = probability(x);
    parts += vec4<f32>(weight, exp(max(x - maxLogit, -87.0)), 0.0, 0.0);
    if (isCandidate(x)) {
      parts += vec4<f32>(0.0, 0.0, 1.0, weight);
      lowest = min(lowest, sortKey(x));
      if (weight >= p.minP) { likely = min(likely, sortKey(x)); }
    }
  }
  let all = together(parts, thread);
  likely = least(likely, thread);
  var last = least(lowest, thread);
  var ties = f32(p.V);
  var mass = all.w;
  var sorted = p.topP < 1.0;
  if (p.topK < p.V) {
    let count = f32(p.topK);
    let key = search(true, false, count, thread);
    let above = sumsAround(key, thread);
    if (all.z > count) {
      sorted = true;
      last = key;
      ties = count - above.y;
      mass = above.x + ties * probability(fromSortKey(key));
    }
  }
  if (p.topP < 1.0) {
    // top-p applies to the probability that top-k kept.
    let goal = p.topP * select(all.x, mass, p.topK < p.V);
    let key = search(false, false, goal, thread);
    let above = sumsAround(key, thread);
    let weight = probability(fromSortKey(key));
    let count = clamp(ceil((goal - above.x) / weight), 1.0, max(1.0, above.z));
    if (key > last || (key == last && count < ties)) {
      last = key;
      ties = count;
      mass = above.x + count * weight;
    }
  }
  leastKey = likely;
  if (p.minP > 0.0) {
    let above = sumsAround(likely, thread);
    if (likely > last) {
      last = likely;
      ties = f32(p.V);
      mass = above.x + above.z * probability(fromSortKey(likely));
    }
  }
  let goal = p.uniform_ * mass;
  // If sorted: the sampled token's key, and its rank among ties. Else tokens are in the order of ids.
  let found = search(false, true, goal, thread);
  let key = max(found, last);
  let above = sumsAround(key, thread);
  let limit = select(above.z, min(ties, above.z), key == last) - 1.0;
  let place = select(floor((goal - above.x) / probability(fromSortKey(key))), limit, found < last);
  let target_ = select(goal, clamp(place, 0.0, limit), sorted);
  let span = (p.V + ${width - 1}u) / ${width}u;
  let end = min((thread + 1u) * span, p.V);
  var sum = 0.0;
  for (var v = thread * span; v < end; v++) {
    let x = logit(v);
    sum += select(amount(x, false), select(0.0, 1.0, sortKey(x) == key && isCandidate(x)), sorted);
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
    var cumulative = 0.0;
    for (var v = thread * span; v < end; v++) {
      let x = logit(v);
      let counted = select(amount(x, false), select(0.0, 1.0, sortKey(x) == key && isCandidate(x)), sorted);
      if (counted <= 0.0) { continue; }
      token = v;
      cumulative += counted;
      if (cumulative > remainder) { break; }
    }
    id_[0] = i32(token);
    let invalid = maxLogit >= 3.39e38 || maxLogit <= -3.39e38;
    logprob[0] = select(logit(token) - maxLogit - log(all.y), notANumber(), invalid);
  }`;
