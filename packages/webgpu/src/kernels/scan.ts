import { sizeOf, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { bindingsText, gridFor, mainText } from "../wgsl/grid.js";
import { withFunctions } from "../wgsl/numbers.js";
import { storedRows } from "./attention/stored-text.js";
import { map } from "./map.js";

type Attributes = {
  readonly reads: "before" | "after";
  readonly erases: "before" | "after";
  readonly scale: number;
  /** Inputs after the state, in this order. */
  readonly optional: readonly ("decay" | "erase" | "beta")[];
};

/** Columns of a state per workgroup, and threads that share a column. */
const [columns, lanes] = [8, 8];
const threads = columns * lanes;
/** Largest number of tokens of one dispatch: browsers abort dispatches that run for long. */
const maxTokens = 4096;
/** Largest number of vec4s of a column that a thread holds: more would not fit in registers. */
const maxVec4s = 16;

/**
 * A linear recurrence, token by token: S ← exp(decay) S + key · written, with written = beta (value − S · erase), read by the
 * query. Columns of the state are independent: a workgroup processes eight of them for all tokens, in registers. One reduction
 * over its threads computes both S · erase and the output.
 */
export function scanKernel(context: Context) {
  return (
    inputs: readonly View[],
    [output, final]: readonly View[],
    { reads, erases, scale, optional }: Attributes,
  ): boolean => {
    const { store, engine } = context;
    const [query, key, value, state, ...rest] = inputs as [View, View, View, View, ...View[]];
    const optionalInputs = Object.fromEntries(optional.map((name, i) => [name, rest[i]!]));
    const { decay, erase, beta } = optionalInputs;
    const [B, H, T, V] = value.shape as [number, number, number, number];
    const K = key.shape[3]!;
    const vec4sPerLane = Math.ceil(Math.ceil(K / 4) / lanes);
    if (inputs.some(({ dtype }) => dtype !== "float32") || vec4sPerLane > maxVec4s) return false;
    // The state is updated in place, in the output `final`: it is copied there first.
    if (state.storage !== final!.storage)
      map(context, "copy", [state], final!, { body: "return a;", bits: true });
    const finalBuffer = store.update(final!);
    const outputBuffer = store.write(output!);
    for (let start = 0; start < T; start += maxTokens) {
      const params = new Params().u32("H", H).u32("T", T).u32("K", K).u32("V", V);
      params
        .u32("start", start)
        .u32("end", Math.min(T, start + maxTokens))
        .f32("scale", scale);
      params.u32("blocks", Math.ceil(V / columns)).u32("count", B * H * Math.ceil(V / columns));
      const rows = [
        storedRows(context, params, "query", query, B, 0),
        storedRows(context, params, "key", key, B, 0),
        ...(erase ? [storedRows(context, params, "erase", erase, B, 0)] : []),
      ];
      const numbers = Object.entries({ value, decay, beta }).flatMap(([name, x]) =>
        x ? [scalarReads(context, params, name, x)] : [],
      );
      const parts = [...rows, ...numbers];
      engine.record({
        op: "scan",
        key: `scan:${K}:${reads}:${erases}:${optional.join()}:${rows.map((row) => row.key).join(":")}`,
        text: () =>
          scanText(params, parts, {
            vec4sPerLane,
            reads,
            erases,
            decay: !!decay,
            erase: !!erase,
            beta: !!beta,
          }),
        reads: parts.flatMap((part) => part.reads),
        writes: [outputBuffer, finalBuffer],
        params,
        groups: gridFor(sizeOf([B, H, Math.ceil(V / columns)])),
      });
    }
    return true;
  };
}

type Part = Pick<ReturnType<typeof storedRows>, "reads" | "bindings" | "text">;

/** Layout of a tensor [B, H, T, n] of which a shader reads single numbers, by `NAMEAt(b, h, t, j)`. */
function scalarReads({ store }: Context, params: Params, name: string, x: View): Part {
  const [batch, head, row, column] = x.strides as [number, number, number, number];
  params.u32(`${name}Start`, x.offset).u32(`${name}Batch`, batch).u32(`${name}Head`, head);
  params.u32(`${name}Row`, row).u32(`${name}Column`, column);
  return {
    reads: [store.read(x)],
    bindings: { [name]: "f32" },
    text: `fn ${name}At(b: u32, h: u32, t: u32, j: u32) -> f32 {
  return ${name}[p.${name}Start + b * p.${name}Batch + h * p.${name}Head + t * p.${name}Row + j * p.${name}Column];
}`,
  };
}

type TextOptions = Pick<Attributes, "reads" | "erases"> & {
  /** Number of vec4s of a row of queries or keys that a lane holds. */
  readonly vec4sPerLane: number;
  readonly decay: boolean;
  readonly erase: boolean;
  readonly beta: boolean;
};

function scanText(
  params: Params,
  parts: readonly Part[],
  { vec4sPerLane, reads, erases, decay, erase, beta }: TextOptions,
): string {
  const each = (text: (i: number) => string) =>
    Array.from({ length: vec4sPerLane }, (_, i) => text(i)).join("\n    ");
  const bindings = Object.assign({}, ...parts.map((part) => part.bindings)) as Record<string, string>;
  const row = (name: string, i: number) =>
    `var ${name}Part${i} = vec4<f32>();
    if (lane + ${i * lanes}u < size4) { ${name}Part${i} = ${name}4(b, h, t, lane + ${i * lanes}u); }`;
  return withFunctions(`${params.declaration}
${bindingsText(bindings, { output: "f32", state: "f32" })}
${parts.map((part) => part.text).join("\n")}
// Double-buffered, so that one barrier per token is enough.
var<workgroup> sums: array<vec3<f32>, ${2 * threads}>;
${mainText(
  threads,
  `  if (group >= p.count) { return; }
  let column = thread % ${columns}u;
  let lane = thread / ${columns}u;
  let j = (group % p.blocks) * ${columns}u + column;
  let inside = j < p.V;
  let value_ = min(j, p.V - 1u);
  let head = group / p.blocks;
  let b = head / p.H;
  let h = head % p.H;
  let size4 = (p.K + 3u) / 4u;
  let first = head * p.K * p.V + value_;
  ${each(
    (i) => `var state${i} = vec4<f32>();
    for (var c = 0u; c < 4u; c++) {
      let k = (lane + ${i * lanes}u) * 4u + c;
      if (k < p.K) { state${i}[c] = state[first + k * p.V]; }
    }`,
  )}
  for (var t = p.start; t < p.end; t++) {
    var partial = vec3<f32>();
    ${each(
      (i) => `${row("query", i)}
    ${row("key", i)}
    ${erase ? `${row("erase", i)}\n    partial.x += dot(erasePart${i}, state${i});` : ""}
    partial.y += dot(queryPart${i}, state${i});
    partial.z += dot(queryPart${i}, keyPart${i});`,
    )}
    let place = (t % 2u) * ${threads}u;
    sums[place + thread] = partial;
    workgroupBarrier();
    var all = vec3<f32>();
    for (var n = 0u; n < ${lanes}u; n++) { all += sums[place + n * ${columns}u + column]; }
    let kept = ${decay ? "exp_(decayAt(b, h, t, 0u))" : "1.0"};
    let written = ${beta ? "betaAt(b, h, t, 0u) * " : ""}(valueAt(b, h, t, value_)${erase ? ` - ${erases === "after" ? "kept * " : ""}all.x` : ""});
    if (lane == 0u && inside) {
      output[(head * p.T + t) * p.V + j] = p.scale * ${reads === "before" ? "all.y" : "(kept * all.y + all.z * written)"};
    }
    ${each((i) => `state${i} = kept * state${i} + written * keyPart${i};`)}
  }
  if (!inside) { return; }
  ${each(
    (i) => `for (var c = 0u; c < 4u; c++) {
      let k = (lane + ${i * lanes}u) * 4u + c;
      if (k < p.K) { state[first + k * p.V] = state${i}[c]; }
    }`,
  )}`,
)}`);
}
