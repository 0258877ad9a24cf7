import { bindingsText } from "../../wgsl/grid.js";
import { withScoreFunctions } from "../../wgsl/score-functions.js";
import type { Params } from "../../params.js";
import { each } from "./block-text.js";
import { masked, maskedFrom } from "./expression-text.js";
import { planTile } from "./plan-words.js";

/** Tiles of keys per workgroup: 256 keys. */
export const chunkTiles = 4;
const keys = chunkTiles * planTile;
/** Threads of a workgroup, threads that share a dot product, and keys that a thread multiplies at once. */
const [threads, lanes, unroll] = [64, 8, 4];
/** Row length of the partial sums, one more than a tile to avoid bank conflicts. */
const pitch = planTile + 1;

/** Rows of queries per workgroup, within 16 KiB of workgroup memory; 0 if not even one fits. */
export function rowsPerWorkgroup(rows: number, headDim: number): number {
  const size4 = Math.ceil(headDim / 4);
  const bytes = (r: number) => r * (4 * (lanes * pitch + keys) + 16 * size4) + (r === 4 ? 0 : 16 * threads);
  return [4, 2, 1].find((r) => (r === 1 || r / 2 < rows) && bytes(r) <= 16384) ?? 0;
}

/** Parameters, bindings and WGSL of a call and one of its segments. */
export type SplitText = {
  readonly params: Params;
  readonly bindings: Readonly<Record<string, string>>;
  readonly text: string;
  readonly D: number;
  readonly Dv: number;
  /** Rows of queries per workgroup, from {@link rowsPerWorkgroup}. */
  readonly workgroupRows: number;
};

/**
 * WGSL of attention of a few queries over 256 keys of a segment. A workgroup computes up to four rows of queries of a key-value
 * head. Eight threads share each dot product; afterwards each thread has one key of a tile. The partial result of a row is
 * [largest score, sum, 0, 0] and the weighted sum of values, not yet divided by the sum.
 */
export function splitText({ params, bindings, text, D, Dv, workgroupRows: R }: SplitText): string {
  const [size4, sizeV4] = [Math.ceil(D / 4), Math.ceil(Dv / 4)];
  const across = Math.min(threads, 2 ** Math.ceil(Math.log2(Math.max(1, sizeV4)))); // threads that share a value
  const vec4s = Math.ceil(sizeV4 / across); // vec4s of a value per thread
  const type = R === 1 ? "f32" : `vec${R}<f32>`;
  const of = (x: string, r: number) => (R === 1 ? x : `${x}[${r}]`);
  const all = (number: (r: number) => string) => `${type}(${each(R, number, ", ")})`;
  const gathered = R === 4 ? "spare" : "gathered";
  const some = R === 1 ? "w != 0.0" : `any(w != ${type}())`;
  return withScoreFunctions(`${params.declaration}
${bindingsText(bindings, { partials: "vec4<f32>" })}
${text}
var<workgroup> rows: array<vec4<f32>, ${R * size4}>;
var<workgroup> scores: array<${type}, ${keys}>;
var<workgroup> spare: array<${type}, ${lanes * pitch}>;
${R === 4 ? "" : `var<workgroup> gathered: array<vec4<f32>, ${threads}>;`}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let chunk = id.x;
  let g = id.y;
  let part = id.z % p.parts;
  let b = id.z / p.parts;
  let lane = thread % ${lanes}u;
  let slot = thread / ${lanes}u;
  let n0 = part * ${R}u;
  ${each(R, (r) => `let n${r}r = min(n0 + ${r}u, p.rows - 1u);\nlet h${r} = g * p.group + n${r}r / p.T;\nlet t${r} = n${r}r % p.T;`)}
  for (var i = thread; i < ${R * size4}u; i += ${threads}u) {
    let n = min(n0 + i / ${size4}u, p.rows - 1u);
    rows[i] = query4(b, g * p.group + n / p.T, n % p.T, i % ${size4}u);
  }
  workgroupBarrier();
  let firstColumn = p.firstColumn + chunk * ${chunkTiles}u;
  var top = ${all(() => masked)};
  for (var j = 0u; j < ${chunkTiles}u; j++) {
    let column = firstColumn + j;
    var shown = 0u;
    ${each(R, (r) => `var tile${r} = 0u;`)}
    if (column < p.endColumn) {
      ${each(R, (r) => `tile${r} = tileWord(b, h${r}, 0u, column);\nshown |= tile${r} & 3u;`)}
    }
    var score = ${all(() => masked)};
    // The plan is read-only: control flow is uniform, and barriers may be inside.
    if (shown != 0u) {
      // Several keys at once share each read of the query.
      for (var n = slot; n < ${planTile}u; n += ${(unroll * threads) / lanes}u) {
        ${each(
          unroll,
          (i) => `let s${i} = column * ${planTile}u + n + ${(i * threads) / lanes}u;
        let inside${i} = s${i} >= p.first && s${i} < p.end;
        var dots${i} = ${type}();`,
        )}
        for (var d = lane; d < ${size4}u; d += ${lanes}u) {
          ${each(R, (r) => `let q${r} = rows[${r * size4}u + d];`)}
          ${each(
            unroll,
            (i) => `if (inside${i}) {
            let x = key4(b, g, s${i} - p.first, d);
            dots${i} += ${all((r) => `dot(q${r}, x)`)};
          }`,
          )}
        }
        ${each(unroll, (i) => `spare[lane * ${pitch}u + n + ${(i * threads) / lanes}u] = dots${i};`)}
      }
      workgroupBarrier();
      var dots = spare[thread];
      for (var n = 1u; n < ${lanes}u; n++) { dots += spare[n * ${pitch}u + thread]; }
      workgroupBarrier();
      let s = column * ${planTile}u + thread;
      if (s >= p.first && s < p.end) {
        ${each(
          R,
          (
            r,
          ) => `if ((tile${r} & 3u) != 0u && ((seenBits(tile${r}, t${r}, thread / 32u) >> (thread % 32u)) & 1u) != 0u) {
          ${of("score", r)} = unmaskedScore(${of("dots", r)}, b, h${r}, t${r}, s);
        }`,
        )}
      }
    }
    scores[j * ${planTile}u + thread] = score;
    top = max(top, score);
  }
  spare[thread] = top;
  workgroupBarrier();
  for (var n = 0u; n < ${threads}u; n++) { top = max(top, spare[n]); }
  workgroupBarrier();
  // Each thread has the keys whose scores it computed.
  var sum = ${type}();
  for (var j = 0u; j < ${chunkTiles}u; j++) {
    let score = scores[j * ${planTile}u + thread];
    let w = select(exp(score - top), ${type}(), score <= ${all(() => maskedFrom)});
    scores[j * ${planTile}u + thread] = w;
    sum += w;
  }
  spare[thread] = sum;
  workgroupBarrier();
  sum = ${type}();
  for (var n = 0u; n < ${threads}u; n++) { sum += spare[n]; }
  ${each(R * vec4s, (i) => `var mixed${i} = vec4<f32>();`)}
  let column4 = thread % ${across}u;
  for (var n = thread / ${across}u; n < ${keys}u; n += ${threads / across}u) {
    let w = scores[n];
    // Masked values may contain NaN, and 0 · NaN is NaN.
    if (${some}) {
      let i = firstColumn * ${planTile}u + n - p.first;
      ${each(
        vec4s,
        (j) => `if (column4 + ${j * across}u < ${sizeV4}u) {
        let x = value4(b, g, i, column4 + ${j * across}u);
        ${each(R, (r) => `if (${of("w", r)} != 0.0) { mixed${r * vec4s + j} += ${of("w", r)} * x; }`)}
      }`,
      )}
    }
  }
  ${each(
    R,
    (
      r,
    ) => `let at${r} = (((b * p.H + h${r}) * p.T + t${r}) * p.chunks + p.firstChunk + chunk) * ${sizeV4 + 1}u;
  let writes${r} = n0 + ${r}u < p.rows;
  if (writes${r} && thread == 0u) { partials[at${r}] = vec4<f32>(${of("top", r)}, ${of("sum", r)}, 0.0, 0.0); }
  ${each(
    vec4s,
    (j) => `workgroupBarrier();
  ${gathered}[thread] = mixed${r * vec4s + j};
  workgroupBarrier();
  if (writes${r} && thread < ${across}u && thread + ${j * across}u < ${sizeV4}u) {
    var total = ${gathered}[thread];
    for (var n = 1u; n < ${threads / across}u; n++) { total += ${gathered}[thread + n * ${across}u]; }
    partials[at${r} + 1u + thread + ${j * across}u] = total;
  }`,
  )}`,
  )}
}`);
}
