import { bindingsText, mainText, threads } from "../../wgsl/grid.js";
import type { Params } from "../../params.js";
import { masked, maskedFrom } from "./expression-text.js";

/**
 * WGSL that merges the partial results of the chunks of a row: outputs weighted by exp(chunk maximum − maximum) / sum, and lse,
 * as bits because WGSL may not compute −∞. One workgroup per row.
 */
export function mergeText(params: Params, Dv: number, sinks: boolean): string {
  const sizeV4 = Math.ceil(Dv / 4);
  return `${params.declaration}
${bindingsText({ partials: "vec4<f32>", ...(sinks && { tables: "f32" }) }, { output: "f32", lse: "u32" })}
${mainText(
  threads,
  `  if (group >= p.rows) { return; }
  let first = group * p.chunks * ${sizeV4 + 1}u;
  ${
    sinks
      ? `let logit = tables[(group / p.T) % p.H];
  // −∞ is detected by its bits: computing with it is undefined.
  let sink = select(logit, ${masked}, bitcast<u32>(logit) == 0xff800000u);`
      : `let sink = ${masked};`
  }
  var top = sink;
  for (var c = 0u; c < p.chunks; c++) { top = max(top, partials[first + c * ${sizeV4 + 1}u].x); }
  var sum = ${sinks ? `select(exp(sink - top), 0.0, sink <= ${maskedFrom})` : "0.0"};
  for (var c = 0u; c < p.chunks; c++) {
    let x = partials[first + c * ${sizeV4 + 1}u];
    if (x.y != 0.0) { sum += x.y * exp(x.x - top); }
  }
  let empty = sum == 0.0;
  let per = select(1.0 / sum, 0.0, empty);
  for (var d = thread; d < ${sizeV4}u; d += ${threads}u) {
    var mixed = vec4<f32>();
    for (var c = 0u; c < p.chunks; c++) {
      let at = first + c * ${sizeV4 + 1}u;
      let x = partials[at];
      if (x.y != 0.0) { mixed += partials[at + 1u + d] * (exp(x.x - top) * per); }
    }
    for (var i = 0u; i < 4u; i++) {
      if (d * 4u + i < ${Dv}u) { output[group * ${Dv}u + d * 4u + i] = mixed[i]; }
    }
  }
  if (thread == 0u) { lse[group] = select(bitcast<u32>(top + log(sum)), 0xff800000u, empty); }`,
)}`;
}
