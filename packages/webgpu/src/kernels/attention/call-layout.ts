import { callSizes, handledAll, type AttentionCall, type Expression } from "@qkv/attention-contract";
import { sizeOf, type Tensor } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { Context } from "../../context.js";
import { Params } from "../../params.js";
import { addCallTables, callTables, withTables, writeTables } from "./call-tables.js";
import { addScoreParams } from "./call-words.js";
import { denseRows } from "./dense-keys.js";
import { expressionKey, isShaderText } from "./expression-text.js";
import { planTile, type PlacedPlan, type Plans } from "./plan-words.js";
import { scoreText } from "./score-text.js";

/** A call of attention as shaders read it: bindings, parameters, and the WGSL that all its kernels share. */
export type CallLayout = {
  readonly sizes: ReturnType<typeof callSizes>;
  /** B · H · T */
  readonly rows: number;
  readonly params: Params;
  /** Identifies the text. */
  readonly key: string;
  /** Bindings that are read: query, plan, words, key, value, and tables where there are some. */
  readonly reads: readonly GpuBuffer[];
  readonly bindings: Readonly<Record<string, string>>;
  readonly plan: PlacedPlan;
  /** Functions: rows of query, keys and values, positions, scores, and the bits of the plan. */
  readonly text: string;
  readonly scoreMod: Expression | undefined;
  readonly weightMod: Expression | undefined;
  readonly softcap: boolean;
  readonly sinks: boolean;
  /** True if a visible tile may hold masked scores. */
  readonly masksItself: boolean;
};

/**
 * Words of a call that its kernels write to, too, in one binding: positions, sinks and tables, then tensors and numbers that
 * the kernels ask for.
 */
export type OwnWords = {
  /** [B, H, T, Dv], read by `dOutput4`: the binding behind key and value. */
  readonly dOutput?: Tensor | undefined;
  /** Tensors that are copied to the words, by the parameter that tells where they begin. */
  readonly copied: Readonly<Record<string, Tensor>>;
  /** Numbers of each row of queries, from parameter `stateAt` on. */
  readonly stateWords: number;
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
  f: (layout: CallLayout, words: GpuBuffer) => void,
  own?: OwnWords,
): boolean {
  if (!isForShaders(call)) return false;
  const { query, keyValues, softcap = 0, sinks, plan, scoreMod, weightMod } = call;
  const sizes = callSizes(call);
  const { B, H, T, S, D, Dv } = sizes;
  const { store, engine } = context;
  const op = store.op;
  query.device.scope(() => {
    const [key, value] = [keyValues.key, keyValues.value].map((segments) => denseRows(segments, B)) as [
      Tensor,
      Tensor,
    ];
    const packedQuery = query.strides[3] === 1 || D <= 1 ? query : denseRows([query], B);
    store.op = op;
    const params = new Params();
    const { words, listed } = addScoreParams(params, call, sizes);
    const planned = plans.place(context, plan);
    const { rowBoundsAt, columnBoundsAt } = planned;
    params.u32("rowBoundsAt", rowBoundsAt).u32("columnBoundsAt", columnBoundsAt).u32("planRows", plan.rows);
    // A dispatch has a range of blocks of rows.
    params
      .u32("firstUnit", 0)
      .u32("endUnit", 0)
      .u32("rows", B * H * T)
      .u32("pairs", B * H * T * S);
    const { dOutput, copied = {}, stateWords = 0 } = own ?? {};
    const layouts = { query: packedQuery, key, value, ...(dOutput && { dOutput }) };
    for (const [name, { strides, offset }] of Object.entries(layouts)) {
      params.u32(`${name}At`, offset).u32(`${name}Batch`, strides[0]!).u32(`${name}Head`, strides[1]!);
      params.u32(`${name}Row`, strides[2]!);
    }
    const tablesAt = own ? words.length : 0;
    params.u32("sinksAt", tablesAt);
    let end = addCallTables(params, call, tablesAt);
    for (const [name, { shape }] of Object.entries(copied)) {
      params.u32(name, end);
      end += sizeOf(shape);
    }
    params.u32("stateAt", end);
    const fours = Object.fromEntries(
      Object.entries(layouts).map(([name, { strides, offset, shape }]) => [
        name,
        [offset, ...strides.slice(0, 3), shape[3]!].every((n) => n % 4 === 0),
      ]),
    );
    const mods = [scoreMod, weightMod].map((mod) => (mod ? expressionKey(mod) : ""));
    const row = (name: string, n: number) => rowText(name, n, fours[name]!);
    const run = (wordBuffer: GpuBuffer, tableBuffer: GpuBuffer | undefined) =>
      f(
        {
          sizes,
          rows: B * H * T,
          params,
          key: [
            ...[D, Dv, ...Object.values(fours), softcap > 0, listed, !!sinks, !!tableBuffer, !!own],
            ...[...Object.keys(copied), ...mods],
          ].join(":"),
          reads: [
            store.read(packedQuery),
            planned.buffer,
            wordBuffer,
            store.read(key),
            store.read(value),
            ...(dOutput ? [store.read(dOutput)] : []),
            ...(tableBuffer ? [tableBuffer] : []),
          ],
          bindings: {
            query: fours["query"] ? "vec4<f32>" : "f32",
            plan: "u32",
            words: "i32",
            key: fours["key"] ? "vec4<f32>" : "f32",
            value: fours["value"] ? "vec4<f32>" : "f32",
            ...(dOutput && { dOutput: fours["dOutput"] ? "vec4<f32>" : "f32" }),
            ...(tableBuffer && { tables: "f32" }),
          },
          plan: planned,
          text: `${row("query", D)}
${row("key", D)}
${row("value", Dv)}
${dOutput ? row("dOutput", Dv) : ""}
${boundsText}
${scoreText({
  softcap: softcap > 0,
  listed,
  tableWord: own ? (index) => `words[${index}]` : tableBuffer && ((index) => `tables[${index}]`),
  scoreMod,
  weightMod,
  word: (index) => `words[${index}]`,
  planWord: (index) => `plan[${index}]`,
})}`,
          scoreMod,
          weightMod,
          softcap: softcap > 0,
          sinks: !!sinks,
          masksItself: scoreMod !== undefined,
        },
        wordBuffer,
      );
    if (!own) {
      withTables(context, call, (tableBuffer) => run(plans.words.buffer(context, words), tableBuffer));
      return;
    }
    const buffer = engine.buffers.allocate(op, 4 * (end + stateWords * B * H * T));
    try {
      engine.write(buffer, words);
      writeTables(context, [...callTables(call), ...Object.values(copied)], buffer, tablesAt);
      run(buffer, undefined);
    } finally {
      engine.buffers.free(buffer);
    }
  });
  return true;
}

// The first and the end of the columns that a row of tiles sees, and of the rows that see a column.
const boundsText = `fn rowBounds(b: u32, h: u32, row: u32) -> vec2<u32> {
  let at = p.rowBoundsAt + 2u * ((b * p.planBatch + h * p.planHead) / max(p.columns, 1u) + row);
  return vec2<u32>(plan[at], plan[at + 1u]);
}
fn columnBounds(b: u32, h: u32, column: u32) -> vec2<u32> {
  let at = p.columnBoundsAt + 2u * ((b * p.planBatch + h * p.planHead) / max(p.planRows, 1u) + column);
  return vec2<u32>(plan[at], plan[at + 1u]);
}`;

/** True for a call of float32 without a function of the program, which no shader runs. */
export function isForShaders(call: AttentionCall): boolean {
  const { query, keyValues, firstQuery, scale, softcap, sinks, plan, scoreMod, weightMod, want, ...rest } =
    call;
  handledAll(rest);
  void [keyValues, firstQuery, scale, softcap, sinks, want];
  const runs = [scoreMod, weightMod].every((mod) => !mod || isShaderText(mod));
  return runs && query.dtype === "float32" && plan.queryTile === planTile && plan.keyTile === planTile;
}

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
