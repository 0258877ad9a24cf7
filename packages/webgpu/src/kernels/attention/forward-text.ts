import { bindingsText } from "../../wgsl/grid.js";
import { withFunctions } from "../../wgsl/numbers.js";
import type { CallLayout } from "./call-layout.js";
import { masked, maskedFrom } from "./expression-text.js";

/** Queries and keys that a workgroup of 64 threads multiplies at once, four by four to a thread. */
export const blockSize = 32;
/** Fours of a head that lie in workgroup memory at once. */
const chunk = 8;
/** Length of a line of them, which avoids bank conflicts. */
const pitch = 9;

const each = (n: number, text: (i: number) => string, between = "\n") =>
  Array.from({ length: n }, (_, i) => text(i)).join(between);

/**
 * The forward kernel. One workgroup has 32 queries of a head, and walks over the tiles of keys that the plan shows.
 *
 * @param mode - `online`: output and lse in one walk. `stats`: the largest score and 1 / sum of each row, and lse.
 *   `mix`: the output by a walk that knows them, where a weight is modified after the softmax.
 */
export function forwardText(layout: CallLayout, mode: "online" | "stats" | "mix"): string {
  const { sizes, params, bindings, text, sinks, weightMod, masksItself } = layout;
  const { D, Dv } = sizes;
  const columns = Math.ceil(Math.ceil(Dv / 4) / 8); // fours of the output that a thread holds for each row
  const mixes = mode !== "stats";
  const known = mode === "mix";
  return withFunctions(`${params.declaration}
${bindingsText(
  { ...bindings, ...(known && { stats: "vec2<f32>" }) },
  {
    ...(mixes && { output: "f32" }),
    ...(!known && { lse: "u32" }),
    ...(mode === "stats" && { stats: "vec2<f32>" }),
  },
)}
${text}
${sharedText()}
${mixes ? `var<workgroup> weights: array<vec4<f32>, ${blockSize * pitch}>;` : ""}
${known ? "" : acrossText()}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let t0 = id.x * ${blockSize}u;
  let h = id.y;
  let b = id.z;
  let g = h / p.group;
  let ty = thread / 8u;
  let tx = thread % 8u;
  let at = (b * p.H + h) * p.T + t0 + ty * 4u;
  var top = vec4<f32>(${masked});
  var sum = vec4<f32>();
  ${mixes ? each(4 * columns, (i) => `var mixed${i} = vec4<f32>();`) : ""}
  ${known ? each(4, (r) => `if (t0 + ty * 4u + ${r}u < p.T) { top[${r}] = stats[at + ${r}u].x; sum[${r}] = stats[at + ${r}u].y; }`) : ""}
  // The plan is only read, so that what it holds is uniform, and barriers may be inside.
  for (var column = 0u; column < p.columns; column++) {
    let tile = tileOf(b, h, t0 / 64u, column);
    if ((tile & 3u) == 0u) { continue; }
    for (var half = 0u; half < 2u; half++) {
    let keyStart = column * 64u + half * 32u;
    if (keyStart >= p.S) { break; }
    ${dotsText({ size: D, first: "query4(b, h, ", second: "key4(b, g, ", to: "s" })}
    ${scoresText()}
    ${
      known
        ? each(
            4,
            (
              r,
            ) => `var w${r} = select(exp(min(s${r} - top[${r}], vec4<f32>(80.0))) * sum[${r}], vec4<f32>(), s${r} <= vec4<f32>(${maskedFrom}));
    ${each(4, (c) => `if (!(s${r}[${c}] <= ${maskedFrom})) { w${r}[${c}] = ${weightMod ? `modifiedWeight(w${r}[${c}], f32(b), f32(h), queryPlace(b, t0 + ty * 4u + ${r}u), keyPlace(b, g, keyStart + tx * 4u + ${c}u))` : `w${r}[${c}]`}; }`)}`,
          )
        : `let higher = max(top, most(vec4<f32>(${each(4, (r) => `max(max(s${r}.x, s${r}.y), max(s${r}.z, s${r}.w))`, ", ")}), thread));
    let shrink = exp(top - higher);
    top = higher;
    ${each(4, (r) => `let w${r} = select(exp(s${r} - top[${r}]), vec4<f32>(), s${r} <= vec4<f32>(${maskedFrom}));`)}
    sum = sum * shrink + vec4<f32>(${each(4, (r) => `w${r}.x + w${r}.y + w${r}.z + w${r}.w`, ", ")});
    ${mixes ? each(4 * columns, (i) => `mixed${i} *= shrink[${Math.floor(i / columns)}];`) : ""}`
    }
    ${
      mixes
        ? `${each(4, (c) => `weights[(tx * 4u + ${c}u) * ${pitch}u + ty] = vec4<f32>(${each(4, (r) => `w${r}[${c}]`, ", ")});`)}
    ${mixText(Dv, columns, masksItself)}`
        : ""
    }
    }
  }
  ${known ? "" : finishText(columns, mixes, sinks)}
  ${mixes ? storeText(Dv, columns) : ""}
}`);
}

/** Workgroup memory of dot products and of rows of values. */
export const sharedText = () =>
  `var<workgroup> tiles: array<vec4<f32>, ${Math.max(2 * chunk * 4 * pitch, blockSize * 16)}>;`;

/**
 * Dot products of 4 rows along queries and 4 along keys, `TO0` to `TO3` of a thread, through workgroup memory in chunks of
 * 32 numbers of the head.
 */
export function dotsText({
  size,
  first,
  second,
  to,
}: {
  size: number;
  first: string;
  second: string;
  to: string;
}): string {
  const size4 = Math.ceil(size / 4);
  const half = chunk * 4 * pitch;
  const load = (line: string, start: string, end: string, at: number) => `{
        var m = mat4x4<f32>();
        let i = ${start} + (thread / 8u) * 4u;
        if (d < ${size4}u) {
          ${each(4, (r) => `if (i + ${r}u < ${end}) { m[${r}] = ${line}i + ${r}u, d); }`)}
        }
        m = transpose(m);
        ${each(4, (j) => `tiles[${at}u + ((thread % 8u) * 4u + ${j}u) * ${pitch}u + thread / 8u] = m[${j}];`)}
      }`;
  return `${each(4, (r) => `var ${to}${r} = vec4<f32>();`)}
    for (var c = 0u; c < ${size4}u; c += ${chunk}u) {
      let d = c + thread % 8u;
      ${load(first, "t0", "p.T", 0)}
      ${load(second, "keyStart", "p.S", half)}
      workgroupBarrier();
      for (var k = 0u; k < min(${4 * chunk}u, ${4 * size4}u - c * 4u); k++) {
        let x = tiles[k * ${pitch}u + ty];
        let y = tiles[${half}u + k * ${pitch}u + tx];
        ${each(4, (r) => `${to}${r} = fma(vec4<f32>(x[${r}]), y, ${to}${r});`)}
      }
      workgroupBarrier();
    }`;
}

/** Dot products to scores, masked where the plan, the end or the expression says so. */
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
        ) => `if ((seen & ${1 << c}u) != 0u && keyStart + tx * 4u + ${c}u < p.S) { s${r}[${c}] = scoreOf(s${r}[${c}], b, h, t, keyStart + tx * 4u + ${c}u); }
      else { s${r}[${c}] = ${masked}; }`,
      )}
    }`,
  );

/** Folds numbers of the 8 threads that share rows. */
const acrossText = () => `var<workgroup> across: array<vec4<f32>, 64>;
fn most(x: vec4<f32>, thread: u32) -> vec4<f32> {
  across[thread] = x;
  workgroupBarrier();
  let first = thread & ~7u;
  var y = across[first];
  ${each(7, (i) => `y = max(y, across[first + ${i + 1}u]);`)}
  workgroupBarrier();
  return y;
}
fn total(x: vec4<f32>, thread: u32) -> vec4<f32> {
  across[thread] = x;
  workgroupBarrier();
  let first = thread & ~7u;
  var y = across[first];
  ${each(7, (i) => `y += across[first + ${i + 1}u];`)}
  workgroupBarrier();
  return y;
}`;

/** mixed += weights · values, with values in workgroup memory, up to 64 numbers of the head at once. */
function mixText(Dv: number, columns: number, masksItself: boolean): string {
  const size4 = Math.ceil(Dv / 4);
  return each(Math.ceil(columns / 2), (part) => {
    const width = Math.min(2, columns - part * 2); // steps of 8 fours
    const add = (guarded: boolean) =>
      each(
        width,
        (j) => `let v${j} = tiles[k * ${width * 8}u + tx + ${j * 8}u];
      ${each(4, (r) => {
        const mixed = `mixed${r * columns + part * 2 + j}`;
        return guarded
          ? `if (w[${r}] != 0.0) { ${mixed} += w[${r}] * v${j}; }`
          : `${mixed} = fma(vec4<f32>(w[${r}]), v${j}, ${mixed});`;
      })}`,
      );
    const loop = (guarded: boolean) => `for (var k = 0u; k < ${blockSize}u; k++) {
      let w = weights[k * ${pitch}u + ty];
      ${add(guarded)}
    }`;
    return `for (var i = thread; i < ${blockSize * width * 8}u; i += 64u) {
      let d = ${part * 16}u + i % ${width * 8}u;
      let s = keyStart + i / ${width * 8}u;
      var x = vec4<f32>();
      if (s < p.S && d < ${size4}u) { x = value4(b, g, s, d); }
      tiles[i] = x;
    }
    workgroupBarrier();
    // Masked values may be no numbers: 0 · NaN must not leak.
    ${masksItself ? loop(true) : `if ((tile & 3u) == 2u) { ${loop(false)} } else { ${loop(true)} }`}
    workgroupBarrier();`;
  });
}

/** Sinks, the logarithm of the sum, and 1 / sum on what is mixed. lse is stored as bits: −∞ is not computed with. */
const finishText = (columns: number, mixes: boolean, sinks: boolean) => `sum = total(sum, thread);
  ${
    sinks
      ? `let sink = vec4<f32>(tableAt(h));
  let last = max(top, sink);
  let scaled = exp(top - last);
  sum = sum * scaled + select(exp(sink - last), vec4<f32>(), sink <= vec4<f32>(${maskedFrom}));
  top = last;`
      : "let scaled = vec4<f32>(1.0);"
  }
  let empty = sum == vec4<f32>();
  let per = select(1.0 / sum, vec4<f32>(), empty);
  ${mixes ? each(4 * columns, (i) => `mixed${i} *= scaled[${Math.floor(i / columns)}] * per[${Math.floor(i / columns)}];`) : ""}
  if (tx == 0u) {
    ${each(
      4,
      (r) => `if (t0 + ty * 4u + ${r}u < p.T) {
      lse[at + ${r}u] = select(bitcast<u32>(top[${r}] + log(sum[${r}])), 0xff800000u, empty[${r}]);
      ${mixes ? "" : `stats[at + ${r}u] = vec2<f32>(top[${r}], per[${r}]);`}
    }`,
    )}
  }`;

const storeText = (Dv: number, columns: number) =>
  each(
    4,
    (r) => `if (t0 + ty * 4u + ${r}u < p.T) {
    ${each(
      columns,
      (j) => `{
      let d = (tx + ${j * 8}u) * 4u;
      let x = mixed${r * columns + j};
      ${each(4, (i) => `if (d + ${i}u < ${Dv}u) { output[(at + ${r}u) * ${Dv}u + d + ${i}u] = x[${i}]; }`)}
    }`,
    )}
  }`,
  );
