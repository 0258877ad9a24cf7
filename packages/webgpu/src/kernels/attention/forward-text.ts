import { bindingsText } from "../../wgsl/grid.js";
import { withScoreFunctions } from "../../wgsl/score-functions.js";
import type { CallLayout } from "./call-layout.js";
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
import { masked, maskedFrom } from "./expression-text.js";

/**
 * WGSL of the forward kernel: each workgroup computes 32 queries of a head, in a loop over the tiles of keys that they see.
 *
 * @param mode - `online`: output and lse in one pass. With `weightMod` there are two passes, `stats` for lse and the largest
 *   score and 1 / sum of each row, and `output` for the output, from these statistics.
 */
export function forwardText(layout: CallLayout, mode: "online" | "stats" | "output"): string {
  const { sizes, params, bindings, text, sinks, weightMod, masksItself } = layout;
  const { D, Dv } = sizes;
  const columns = vec4sPerThread(Dv);
  const computesOutput = mode !== "stats";
  const hasStatistics = mode === "output";
  return withScoreFunctions(`${params.declaration}
${bindingsText(
  { ...bindings, ...(hasStatistics && { lse: "u32" }) },
  { ...(computesOutput && { output: "f32" }), ...(!hasStatistics && { lse: "u32" }) },
)}
${text}
${hasStatistics ? statsText : ""}
${sharedText()}
${computesOutput ? `var<workgroup> weights: array<vec4<f32>, ${blockSize * pitch}>;` : ""}
${hasStatistics ? "" : reductionText()}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  ${queryBlockText}
  let ty = thread / 8u;
  let tx = thread % 8u;
  let at = (b * p.H + h) * p.T + t0 + ty * 4u;
  var top = vec4<f32>(${masked});
  var sum = vec4<f32>();
  ${computesOutput ? each(4 * columns, (i) => `var mixed${i} = vec4<f32>();`) : ""}
  ${hasStatistics ? each(4, (r) => `if (t0 + ty * 4u + ${r}u < p.T) { top[${r}] = rowStats(at + ${r}u).x; sum[${r}] = rowStats(at + ${r}u).y; }`) : ""}
  // The plan is read-only: control flow is uniform, and barriers may be inside.
  let columns = rowBounds(b, h, t0 / 64u);
  for (var column = columns.x; column < columns.y; column++) {
    let tile = tileWord(b, h, t0 / 64u, column);
    if ((tile & 3u) == 0u) { continue; }
    for (var half = 0u; half < 2u; half++) {
    let keyStart = column * 64u + half * 32u;
    if (keyStart >= p.S) { break; }
    ${dotsText({ size: D, first: "query4(b, h, ", second: "key4(b, g, ", to: "s" })}
    ${scoresText()}
    ${
      hasStatistics
        ? each(
            4,
            (
              r,
            ) => `var w${r} = select(exp(min(s${r} - top[${r}], vec4<f32>(80.0))) * sum[${r}], vec4<f32>(), s${r} <= vec4<f32>(${maskedFrom}));
    ${each(4, (c) => `if (!(s${r}[${c}] <= ${maskedFrom})) { w${r}[${c}] = ${weightMod ? `modifiedWeight(w${r}[${c}], f32(b), f32(h), queryPosition(b, t0 + ty * 4u + ${r}u), keyPosition(b, g, keyStart + tx * 4u + ${c}u))` : `w${r}[${c}]`}; }`)}`,
          )
        : `let higher = max(top, most(vec4<f32>(${each(4, (r) => `max(max(s${r}.x, s${r}.y), max(s${r}.z, s${r}.w))`, ", ")}), thread));
    let shrink = exp(top - higher);
    top = higher;
    ${each(4, (r) => `let w${r} = select(exp(s${r} - top[${r}]), vec4<f32>(), s${r} <= vec4<f32>(${maskedFrom}));`)}
    sum = sum * shrink + vec4<f32>(${each(4, (r) => `w${r}.x + w${r}.y + w${r}.z + w${r}.w`, ", ")});
    ${computesOutput ? each(4 * columns, (i) => `mixed${i} *= shrink[${Math.floor(i / columns)}];`) : ""}`
    }
    ${
      computesOutput
        ? `${each(4, (c) => `weights[(tx * 4u + ${c}u) * ${pitch}u + ty] = vec4<f32>(${each(4, (r) => `w${r}[${c}]`, ", ")});`)}
    ${accumulateText({ size: Dv, to: "mixed", row: "value4(b, g, ", first: "keyStart", end: "p.S", guarded: masksItself })}`
        : ""
    }
    }
  }
  ${hasStatistics ? "" : finishText(columns, computesOutput, sinks)}
  ${computesOutput ? storeRowsText({ size: Dv, to: "mixed", output: "output", head: "(b * p.H + h)", first: "t0", end: "p.T" }) : ""}
}`);
}

/** WGSL that turns dot products into scores, masked by the plan, the number of keys, and the expression. */
const scoresText = () =>
  each(
    4,
    (r) => `{
      let t = t0 + ty * 4u + ${r}u;
      var seen = 0u;
      if (t < p.T) { seen = seenBits(tile, t, half) >> (tx * 4u); }
      ${each(
        4,
        (
          c,
        ) => `if ((seen & ${1 << c}u) != 0u && keyStart + tx * 4u + ${c}u < p.S) { s${r}[${c}] = unmaskedScore(s${r}[${c}], b, h, t, keyStart + tx * 4u + ${c}u); }
      else { s${r}[${c}] = ${masked}; }`,
      )}
    }`,
  );

/** WGSL that reads the largest score of a row and 1 / sum, which are stored after lse. */
export const statsText = `fn rowStats(row: u32) -> vec2<f32> {
  return bitcast<vec2<f32>>(vec2<u32>(lse[p.rows + row * 2u], lse[p.rows + row * 2u + 1u]));
}`;

/**
 * WGSL that adds the sinks to the sums, divides the output by them, and stores lse, as bits because WGSL may not compute −∞. The
 * largest score and 1 / sum are stored after lse: with large scores, lse loses the digits of the sum.
 */
const finishText = (columns: number, computesOutput: boolean, sinks: boolean) => `sum = total(sum, thread);
  ${
    sinks
      ? `let sink = vec4<f32>(tableAt(p.sinksAt + h));
  let last = max(top, sink);
  let scaled = exp(top - last);
  sum = sum * scaled + select(exp(sink - last), vec4<f32>(), sink <= vec4<f32>(${maskedFrom}));
  top = last;`
      : "let scaled = vec4<f32>(1.0);"
  }
  let empty = sum == vec4<f32>();
  let per = select(1.0 / sum, vec4<f32>(), empty);
  ${computesOutput ? each(4 * columns, (i) => `mixed${i} *= scaled[${Math.floor(i / columns)}] * per[${Math.floor(i / columns)}];`) : ""}
  if (tx == 0u) {
    ${each(
      4,
      (r) => `if (t0 + ty * 4u + ${r}u < p.T) {
      lse[at + ${r}u] = select(bitcast<u32>(top[${r}] + log(sum[${r}])), 0xff800000u, empty[${r}]);
      lse[p.rows + (at + ${r}u) * 2u] = bitcast<u32>(top[${r}]);
      lse[p.rows + (at + ${r}u) * 2u + 1u] = bitcast<u32>(per[${r}]);
    }`,
    )}
  }`;
