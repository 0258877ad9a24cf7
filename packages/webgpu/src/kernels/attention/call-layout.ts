import {
  callSizes,
  handledAll,
  type AttentionCall,
  type Expression,
  type KeyValueSegment,
} from "@qkv/attention-contract";
import { sizeOf } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { ForwardContext } from "../../context.js";
import { Params } from "../../params.js";
import type { Placed } from "../../store.js";
import { addCallTables, callTables, withTables, type WriteTables } from "./call-tables.js";
import { addScoreParams } from "./call-words.js";
import { expressionKey, isShaderText } from "./expression-text.js";
import { placedRows } from "./placed-rows.js";
import { planTile, type PlacedPlan, type Plans } from "./plan-words.js";
import { scoreText } from "./score-text.js";
import type { StoredRowsText } from "./stored-text.js";

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
  readonly scoreMod: Expression<unknown> | undefined;
  readonly weightMod: Expression<unknown> | undefined;
  readonly softcap: boolean;
  readonly sinks: boolean;
  /** True if a visible tile may hold masked scores. */
  readonly masksItself: boolean;
};

/**
 * Words of a call that its kernels write to, too, in one binding: positions, sinks and tables, then tensors and numbers that
 * the kernels ask for.
 */
export type OwnWords<T> = {
  /** [B, H, T, Dv], read by `dOutput4`: the binding after key and value. */
  readonly dOutput?: T | undefined;
  /** Tensors that are copied to the words, by the parameter that tells where they begin. */
  readonly copied: Readonly<Record<string, T>>;
  /** Numbers of each row of queries, from parameter `stateAt` on. */
  readonly stateWords: number;
};

/** The ways in which the parts of a call come to the GPU. */
export type Placing<T> = {
  readonly plans: Plans;
  /** Runs `f`, and frees what placing the call took. */
  readonly within: (call: AttentionCall<T>, f: () => void) => void;
  /** Keys or values of all segments as one tensor `[B, Hkv, S, D]` whose rows lie in one piece. */
  readonly rows: (segments: readonly KeyValueSegment<T>[], B: number) => T;
  readonly writeTables: WriteTables<T>;
  /** Lays out rows of queries, keys or values as they are stored; `tableAt` is the place of their block table in `words`. */
  readonly storedRows: (
    context: ForwardContext,
    params: Params,
    name: string,
    segment: KeyValueSegment<T>,
    batches: number,
    tableAt: number,
  ) => StoredRowsText;
};

/**
 * Lays out a call and runs `f` with it. What only the call needs is freed at its end.
 *
 * @returns False for a call with a function of the program, which no shader runs, or of numbers other than float32.
 */
export function withLayout<T extends Placed>(
  context: ForwardContext,
  { plans, within, rows, writeTables }: Placing<T>,
  call: AttentionCall<T>,
  f: (layout: CallLayout, words: GpuBuffer) => void,
  own?: OwnWords<T>,
): boolean {
  if (!isForShaders(call)) return false;
  const { query, keyValues, softcap = 0, sinks, plan, scoreMod, weightMod } = call;
  const sizes = callSizes(call);
  const { B, H, T, S, D, Dv } = sizes;
  const { store, engine } = context;
  const op = store.op;
  within(call, () => {
    const [key, value] = [rows(keyValues.key, B), rows(keyValues.value, B)];
    const packedQuery = query.strides[3] === 1 || D <= 1 ? query : rows([query], B);
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
    const laid = Object.entries({ query: packedQuery, key, value, ...(dOutput && { dOutput }) }).map(
      ([name, x]) => placedRows(context, params, name, x),
    );
    const [queryRows, ...otherRows] = laid as [StoredRowsText, ...StoredRowsText[]];
    const tablesAt = own ? words.length : 0;
    params.u32("sinksAt", tablesAt);
    let end = addCallTables(params, call, tablesAt);
    for (const [name, { shape }] of Object.entries(copied)) {
      params.u32(name, end);
      end += sizeOf(shape);
    }
    params.u32("stateAt", end);
    const mods = [scoreMod, weightMod].map((mod) => (mod ? expressionKey(mod) : ""));
    const run = (wordBuffer: GpuBuffer, tableBuffer: GpuBuffer | undefined) =>
      f(
        {
          sizes,
          rows: B * H * T,
          params,
          key: [
            ...[D, Dv, ...laid.map(({ key }) => key), softcap > 0, listed, !!sinks, !!tableBuffer, !!own],
            ...[...Object.keys(copied), ...mods],
          ].join(":"),
          reads: [
            ...queryRows.reads,
            planned.buffer,
            wordBuffer,
            ...otherRows.flatMap(({ reads }) => reads),
            ...(tableBuffer ? [tableBuffer] : []),
          ],
          bindings: {
            ...queryRows.bindings,
            plan: "u32",
            words: "i32",
            ...Object.assign({}, ...otherRows.map(({ bindings }) => bindings)),
            ...(tableBuffer && { tables: "f32" }),
          },
          plan: planned,
          text: `${laid.map(({ text }) => text).join("\n")}
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
      withTables(context, writeTables, call, (tableBuffer) =>
        run(plans.words.buffer(context, words), tableBuffer),
      );
      return;
    }
    const buffer = engine.buffers.allocate(op, 4 * (end + stateWords * B * H * T));
    try {
      engine.write(buffer, words);
      writeTables([...callTables(call), ...Object.values(copied)], buffer, tablesAt);
      run(buffer, undefined);
    } finally {
      engine.buffers.free(buffer);
    }
  });
  return true;
}

// The first and the end of the columns that a row of tiles sees.
const boundsText = `fn rowBounds(b: u32, h: u32, row: u32) -> vec2<u32> {
  let at = p.rowBoundsAt + 2u * ((b * p.planBatch + h * p.planHead) / max(p.columns, 1u) + row);
  return vec2<u32>(plan[at], plan[at + 1u]);
}`;

/** True for a call of float32 without a function of the program, which no shader runs. */
export function isForShaders(call: AttentionCall<Placed>): boolean {
  const { query, keyValues, firstQuery, scale, softcap, sinks, plan, scoreMod, weightMod, want, ...rest } =
    call;
  handledAll(rest);
  void [keyValues, firstQuery, scale, softcap, sinks, want];
  const runs = [scoreMod, weightMod].every((mod) => !mod || isShaderText(mod));
  return runs && query.dtype === "float32" && plan.queryTile === planTile && plan.keyTile === planTile;
}
