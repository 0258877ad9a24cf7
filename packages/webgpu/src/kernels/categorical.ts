import { sizeOf, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { bindingsText, gridFor, mainText } from "../wgsl/grid.js";
import { withFunctions } from "../wgsl/numbers.js";
import { traversal } from "../wgsl/traversal.js";

const width = 256;

/**
 * A sample from the softmax of each row by the Gumbel-max trick: the index of the largest logit plus noise, −log(−log u). All
 * devices use the same stream of u, and so draw the same samples unless two sums differ by no more than float32 rounding. A row
 * without a logit that can be sampled is reported as a fault. `key` and `draw`: key of the stream, and number of the draw in it.
 */
export function categoricalKernel(context: Context) {
  return (
    [logits]: readonly View[],
    [output]: readonly View[],
    { key, draw }: { readonly key: readonly [number, number]; readonly draw: number },
  ): boolean => {
    const { store, engine } = context;
    const { dtype, shape, strides, offset } = logits!;
    // Offsets in the random stream are 32-bit integers.
    if (dtype !== "float32" || sizeOf(shape) >= 2 ** 32) return false;
    const op = "categorical";
    const rows = sizeOf(output!.shape);
    const fault = engine.faults(op, "class");
    const params = new Params().u32("rows", rows).u32("V", shape.at(-1)!).u32("step", strides.at(-1)!);
    params.u32("key0", key[0]).u32("key1", key[1]).u32("fault", fault.code);
    params.u32("drawLow", draw >>> 0).u32("drawHigh", Math.floor(draw / 2 ** 32));
    const offsets = traversal(op, params, "row", shape.slice(0, -1), {
      from_: { strides: strides.slice(0, -1), offset },
    });
    engine.record({
      op,
      key: `${op}:${offsets.rank}`,
      text: () =>
        withFunctions(`${params.declaration}
${bindingsText({ logits: "f32" }, { out: "i32", faults: "atomic<u32>" })}
var<workgroup> scores: array<f32, ${width}>;
var<workgroup> places: array<u32, ${width}>;
fn gumbel(n: u32) -> f32 {
  let words = philox(vec4<u32>(n / 2u, 0u, p.drawLow, p.drawHigh), vec2<u32>(p.key0, p.key1));
  let high = select(words.x, words.z, n % 2u == 1u);
  let low = select(words.y, words.w, n % 2u == 1u) >> 12u;
  // u = (high · 2²⁰ + low + ½) / 2⁵². Both u and 1 − u are computed to float32 precision.
  if (high < 0x80000000u) {
    return -log(-log((f32(high) * 1048576.0 + f32(low) + 0.5) * 0x1p-52));
  }
  let less = (f32(~high) * 1048576.0 + f32(0xfffffu - low) + 0.5) * 0x1p-52;
  return -log(-log1p_(-less));
}
${mainText(
  width,
  `  if (group >= p.rows) { return; }
  ${offsets.text("group")}
  var best = -3.4e38;
  var place = p.V;
  for (var v = thread; v < p.V; v += ${width}u) {
    let x = logits[u32(from_) + v * p.step];
    // Logits of −∞ (detected by their bits) and NaN are never sampled.
    if (bitcast<u32>(x) == 0xff800000u || isNan(x)) { continue; }
    let score = x + gumbel(group * p.V + v);
    if (place == p.V || score > best) { best = score; place = v; }
  }
  scores[thread] = best;
  places[thread] = place;
  workgroupBarrier();
  for (var step = ${width / 2}u; step > 0u; step /= 2u) {
    if (thread < step) {
      let other = places[thread + step];
      let score = scores[thread + step];
      let best = places[thread];
      if (other != p.V && (best == p.V || score > scores[thread] || (score == scores[thread] && other < best))) {
        scores[thread] = score;
        places[thread] = other;
      }
    }
    workgroupBarrier();
  }
  if (thread == 0u) {
    if (places[0] == p.V) { atomicStore(&faults[0], p.fault); }
    out[group] = i32(places[0]);
  }`,
)}`),
      reads: [store.read(logits!)],
      writes: [store.write(output!), fault.buffer],
      params,
      groups: gridFor(rows),
    });
    return true;
  };
}
