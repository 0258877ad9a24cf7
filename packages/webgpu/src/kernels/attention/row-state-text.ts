import type { Params } from "../../params.js";
import { bindingsText, mainText, threads } from "../../wgsl/grid.js";
import { withFunctions } from "../../wgsl/numbers.js";
import { foldText } from "../../wgsl/workgroup.js";
import { stateText, stateWords } from "./backward-text.js";
import type { CallLayout } from "./call-layout.js";
import { maskedFrom } from "./expression-text.js";
import { statsText } from "./forward-text.js";
import { tableText } from "./score-text.js";

/**
 * WGSL that computes the state of each row for the backward pass: the largest score, 1 / sum, and Σ dO · O − dlse. One thread per
 * row.
 *
 * @param gradients - Gradients that are read: of the output (then the output is read, too), and of lse.
 */
export function rowStateText(
  { sizes: { Dv } }: CallLayout,
  params: Params,
  gradients: { readonly dOutput: boolean; readonly dLse: boolean },
): string {
  return withFunctions(`${params.declaration}
${bindingsText(
  {
    lse: "u32",
    ...(gradients.dOutput && { output: "f32", dOutput: "f32" }),
    ...(gradients.dLse && { dLse: "f32" }),
  },
  { words: "i32" },
)}
${statsText}
${mainText(
  threads,
  `  let row = group * ${threads}u + thread;
  if (row >= p.rows) { return; }
  let stats = rowStats(row);
  var sum = 0.0;
  ${
    gradients.dOutput
      ? `for (var d = 0u; d < ${Dv}u; d++) {
    sum = fma(output[p.outputAt + row * ${Dv}u + d], dOutput[p.dOutputAt + row * ${Dv}u + d], sum);
  }`
      : ""
  }
  ${gradients.dLse ? "sum -= dLse[p.dLseAt + row];" : ""}
  let at = p.stateAt + row * ${stateWords}u;
  words[at] = bitcast<i32>(stats.x);
  words[at + 1u] = bitcast<i32>(stats.y);
  words[at + 2u] = bitcast<i32>(sum);`,
)}`);
}

/** WGSL of the gradient of the sinks: a workgroup per head sums the contributions of its rows. */
export const sinkGradientText = ({ params }: CallLayout): string =>
  withFunctions(`${params.declaration}
${bindingsText({ words: "i32" }, { dSinks: "f32" })}
${tableText((index) => `words[${index}]`)}
${stateText}
${foldText("total", "f32", threads, "a + b", false)}
${mainText(
  threads,
  `  if (group >= p.H) { return; }
  let sink = tableAt(p.sinksAt + group);
  var sum = 0.0;
  if (sink > ${maskedFrom}) {
    for (var i = thread; i < p.rows / p.H; i += ${threads}u) {
      let state = rowState((i / p.T * p.H + group) * p.T + i % p.T);
      sum -= state.z * state.y * exp(min(sink - state.x, 80.0));
    }
  }
  let all = total(sum, thread);
  if (thread == 0u) { dSinks[group] = all; }`,
)}`);
