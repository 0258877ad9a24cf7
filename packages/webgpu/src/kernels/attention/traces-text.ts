import type { TraceName } from "@qkv/attention-contract";
import { bindingsText, mainText, threads } from "../../wgsl/grid.js";
import { withFunctions } from "../../wgsl/numbers.js";
import type { CallLayout } from "./call-layout.js";
import { statsText } from "./forward-text.js";
import { maskedFrom } from "./expression-text.js";

/** WGSL of a trace, an intermediate for each pair of query and key, [B, H, T, S]. One thread per pair. */
export function tracesText(layout: CallLayout, name: Exclude<TraceName, "lse">): string {
  const { params, bindings, text, sizes } = layout;
  const size4 = Math.ceil(sizes.D / 4);
  // Scores are stored as bits, because WGSL may not compute −∞.
  const results: Record<typeof name, string> = {
    dots: "bitcast<u32>(dots * p.scale)",
    capped: "bitcast<u32>(softcapped(dots * p.scale))",
    scores: "select(bitcast<u32>(score), 0xff800000u, !seen)",
    weights: "bitcast<u32>(weight)",
  };
  return withFunctions(`${params.declaration}
${bindingsText({ ...bindings, ...(name === "weights" && { lse: "u32" }) }, { trace: "u32" })}
${text}
${name === "weights" ? statsText : ""}
${mainText(
  threads,
  `  let n = group * ${threads}u + thread;
  if (n >= p.pairs) { return; }
  let s = n % p.S;
  let row = n / p.S;
  let t = row % p.T;
  let h = (row / p.T) % p.H;
  let b = row / p.T / p.H;
  var sums = vec4<f32>();
  for (var d = 0u; d < ${size4}u; d++) { sums = fma(query4(b, h, t, d), key4(b, h / p.group, s, d), sums); }
  let dots = dot(sums, vec4<f32>(1.0));
  let tile = tileWord(b, h, t / 64u, s / 64u);
  var seen = (tile & 3u) != 0u;
  if ((tile & 3u) == 1u) { seen = ((seenBits(tile, t, (s % 64u) / 32u) >> (s % 32u)) & 1u) == 1u; }
  let score = unmaskedScore(dots, b, h, t, s);
  seen = seen && !(score <= ${maskedFrom});
  ${name === "weights" ? "var weight = 0.0;\n  if (seen) { weight = exp(min(score - rowStats(row).x, 80.0)) * rowStats(row).y; }" : ""}
  trace[n] = ${results[name]};`,
)}`);
}
