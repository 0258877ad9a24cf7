import {
  callSizes,
  firstQueryOf,
  handledAll,
  storedPositions,
  type AttentionCall,
  type Expression,
} from "@qkv/attention-contract";
import { sizeOf, type Tensor } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { Context } from "../../context.js";
import { Params } from "../../params.js";
import { copyInto } from "../copy-into.js";
import { packedStrides } from "../packed.js";
import { denseRows } from "./dense-keys.js";
import { addTables, expressionKey, expressionText, isShaderText, masked } from "./expression-text.js";
import { planTile, type Plans } from "./plan-words.js";

/** A call of attention as shaders read it: bindings, parameters, and the WGSL that all its kernels share. */
export type CallLayout = {
  readonly sizes: ReturnType<typeof callSizes>;
  readonly params: Params;
  /** Identifies the text. */
  readonly key: string;
  /** Bindings that are read: query, plan, words, key, value, and tables where there are some. */
  readonly reads: readonly GpuBuffer[];
  readonly bindings: Readonly<Record<string, string>>;
  /** Functions: rows of query, keys and values, positions, scores, and the bits of the plan. */
  readonly text: string;
  readonly scoreMod: Expression | undefined;
  readonly weightMod: Expression | undefined;
  readonly sinks: boolean;
  /** True if a visible tile may hold masked scores. */
  readonly masksItself: boolean;
};

/**
 * Lays out a call and runs `f` with it. What only the call needs is freed at its end.
 *
 * @returns False for a call with a function of the program, which no shader runs, or of numbers other than float32.
 */
export function withLayout(
  context: Context,
  plans: Plans,
  call: AttentionCall,
  f: (layout: CallLayout) => void,
): boolean {
  const {
    query,
    keyValues,
    firstQuery,
    scale,
    softcap = 0,
    sinks,
    plan,
    scoreMod,
    weightMod,
    want,
    ...rest
  } = call;
  handledAll(rest);
  void want;
  if (query.dtype !== "float32" || plan.queryTile !== planTile || plan.keyTile !== planTile) return false;
  if ([scoreMod, weightMod].some((mod) => mod && !isShaderText(mod))) return false;
  const sizes = callSizes(call);
  const { B, H, T, S, D, Dv, group } = sizes;
  const { store, engine } = context;
  const op = store.op;
  query.device.scope(() => {
    const [key, value] = [keyValues.key, keyValues.value].map((segments) => denseRows(segments, B)) as [
      Tensor,
      Tensor,
    ];
    const packedQuery = query.strides[3] === 1 || D <= 1 ? query : denseRows([query], B);
    store.op = op;
    const params = new Params().u32("T", T).u32("S", S).u32("H", H).u32("group", group).f32("scale", scale);
    params
      .f32("softcap", softcap || 1)
      .u32("tiles", plan.classes.length)
      .u32("columns", plan.columns);
    params.u32("planHead", plan.heads > 1 ? plan.rows * plan.columns : 0);
    params.u32("planBatch", plan.batches > 1 ? plan.heads * plan.rows * plan.columns : 0);
    const layouts = { query: packedQuery, key, value };
    for (const [name, { strides, offset }] of Object.entries(layouts)) {
      params.u32(`${name}At`, offset).u32(`${name}Batch`, strides[0]!).u32(`${name}Head`, strides[1]!);
      params.u32(`${name}Row`, strides[2]!);
    }
    // First queries of each batch, and positions of the keys where they are a list.
    const stored = storedPositions(keyValues, B);
    const listed = !("start" in stored);
    const words = new Int32Array(B + (listed ? stored.length : 0));
    for (let b = 0; b < B; b++) words[b] = firstQueryOf(firstQuery, b);
    if (listed) words.set(stored, B);
    const lists = listed ? stored.length / Math.max(1, S) : 1;
    params.i32("firstKey", listed ? 0 : stored.start);
    params.u32("listBatch", lists === 1 ? 0 : (lists / B) * S).u32("listHead", lists > B ? S : 0);
    params.u32("positionsAt", B).u32("pairs", B * H * T * S);
    const wordBuffer = engine.buffers.allocate(op, words.byteLength);
    engine.write(wordBuffer, words);
    // Sinks and the tables of expressions, packed in one buffer.
    const tables = [...(sinks ? [sinks] : []), ...(scoreMod?.tables ?? []), ...(weightMod?.tables ?? [])];
    const numbers = tables.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const tableBuffer = numbers > 0 ? engine.buffers.allocate(op, 4 * numbers) : undefined;
    let at = 0;
    for (const table of tableBuffer ? tables : []) {
      copyInto(context, op, table, tableBuffer!, { strides: packedStrides(table.shape), offset: at });
      at += sizeOf(table.shape);
    }
    let end = sinks ? H : 0;
    if (scoreMod) end = addTables(params, "table", scoreMod, end);
    if (weightMod) addTables(params, "wtable", weightMod, end);
    const fours = Object.fromEntries(
      Object.entries(layouts).map(([name, { strides, offset, shape }]) => [
        name,
        [offset, ...strides.slice(0, 3), shape[3]!].every((n) => n % 4 === 0),
      ]),
    );
    const mods = [scoreMod, weightMod].map((mod) => (mod ? expressionKey(mod) : ""));
    const row = (name: string, n: number) => rowText(name, n, fours[name]!);
    try {
      f({
        sizes,
        params,
        key: [D, Dv, ...Object.values(fours), softcap > 0, listed, !!sinks, !!tableBuffer, ...mods].join(":"),
        reads: [
          store.read(packedQuery),
          plans.buffer(context, plan),
          wordBuffer,
          store.read(key),
          store.read(value),
          ...(tableBuffer ? [tableBuffer] : []),
        ],
        bindings: {
          query: fours["query"] ? "vec4<f32>" : "f32",
          plan: "u32",
          words: "i32",
          key: fours["key"] ? "vec4<f32>" : "f32",
          value: fours["value"] ? "vec4<f32>" : "f32",
          ...(tableBuffer && { tables: "f32" }),
        },
        text: `${tableBuffer ? tableText() : ""}
${row("query", D)}
${row("key", D)}
${row("value", Dv)}
fn queryPlace(b: u32, t: u32) -> f32 { return f32(words[b] + i32(t)); }
fn keyPlace(b: u32, g: u32, s: u32) -> f32 {
  return f32(${listed ? "words[p.positionsAt + b * p.listBatch + g * p.listHead + s]" : "p.firstKey + i32(s)"});
}
${scoreMod ? expressionText("modified", scoreMod, "table") : ""}
${weightMod ? expressionText("modifiedWeight", weightMod, "wtable") : ""}
fn cappedOf(scaled: f32) -> f32 { return ${softcap > 0 ? "p.softcap * tangent(scaled / p.softcap)" : "scaled"}; }
// From a dot product to a score, without the mask.
fn scoreOf(dots: f32, b: u32, h: u32, t: u32, s: u32) -> f32 {
  ${
    scoreMod
      ? "let x = modified(cappedOf(dots * p.scale), f32(b), f32(h), queryPlace(b, t), keyPlace(b, h / p.group, s));"
      : "let x = cappedOf(dots * p.scale);"
  }
  if (isNan(x)) { return x; }
  return max(x, ${masked});
}
// Word of a tile: where its bits begin times 4, plus its class.
fn tileOf(b: u32, h: u32, row: u32, column: u32) -> u32 {
  return plan[b * p.planBatch + h * p.planHead + row * p.columns + column];
}
// Bits of 32 keys that query t of a tile sees, the first or the second half of them.
fn seenBits(tile: u32, t: u32, half: u32) -> u32 {
  if ((tile & 3u) == 2u) { return 0xffffffffu; }
  return plan[p.tiles + (tile >> 2u) + (t % ${planTile}u) * 2u + half];
}`,
        scoreMod,
        weightMod,
        sinks: !!sinks,
        masksItself: scoreMod !== undefined,
      });
    } finally {
      engine.buffers.free(wordBuffer);
      if (tableBuffer) engine.buffers.free(tableBuffer);
    }
  });
  return true;
}

// −∞ of a table stands for masked, and is found by its bits: as a number it may be anything.
const tableText = () => `fn tableAt(i: u32) -> f32 {
  let x = tables[i];
  return select(x, ${masked}, bitcast<u32>(x) == 0xff800000u);
}`;

/** WGSL of four numbers of a row, from number 4 d on; beyond its end they are 0. */
function rowText(name: string, n: number, fours: boolean): string {
  const at = `p.${name}At + b * p.${name}Batch + h * p.${name}Head + i * p.${name}Row + d * 4u`;
  if (fours)
    return `fn ${name}4(b: u32, h: u32, i: u32, d: u32) -> vec4<f32> { return ${name}[(${at}) / 4u]; }`;
  const numbers = [0, 1, 2, 3].map((j) =>
    n % 4 === 0
      ? `${name}[at + ${j}u]`
      : `select(0.0, ${name}[at + min(${j}u, ${n - 1}u - d * 4u)], d * 4u + ${j}u < ${n}u)`,
  );
  return `fn ${name}4(b: u32, h: u32, i: u32, d: u32) -> vec4<f32> {
  let at = ${at};
  return vec4<f32>(${numbers.join(", ")});
}`;
}
