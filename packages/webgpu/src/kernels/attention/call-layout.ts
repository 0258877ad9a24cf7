import {
  callSizes,
  assertExhaustive,
  type AttentionCall,
  type Expression,
  type KeyValueSegment,
} from "@qkv/attention-contract";
import { sizeOf } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { ForwardContext } from "../../context.js";
import { Params } from "../../params.js";
import type { ViewLayout } from "../../store.js";
import { addCallTables, callTables, withTables, type WriteTables } from "./call-tables.js";
import { addScoreParams } from "./call-words.js";
import { expressionKey, isShaderText } from "./expression-text.js";
import { contiguousRows } from "./contiguous-rows.js";
import { planTile, type UploadedPlan, type Plans } from "./plan-words.js";
import { scoreText } from "./score-text.js";
import type { StoredRowsText } from "./stored-text.js";

/** Layout of an attention call for shaders: bindings, parameters, and the WGSL that all kernels of the call share. */
export type CallLayout = {
  readonly sizes: ReturnType<typeof callSizes>;
  /** B · H · T */
  readonly rows: number;
  readonly params: Params;
  /** Key of {@link text}. */
  readonly key: string;
  /** Buffers that are read: query, plan, words, key, value, and tables if there are any. */
  readonly reads: readonly GpuBuffer[];
  readonly bindings: Readonly<Record<string, string>>;
  readonly plan: UploadedPlan;
  /** WGSL functions that read query, key and value rows, positions and the plan, and compute scores. */
  readonly text: string;
  readonly scoreMod: Expression<unknown> | undefined;
  readonly weightMod: Expression<unknown> | undefined;
  readonly softcap: boolean;
  readonly sinks: boolean;
  /** True if a visible tile may hold masked scores. */
  readonly masksItself: boolean;
};

/**
 * Contents of a buffer of words that belongs to one call and that kernels also write, as in the backward pass: positions, sinks
 * and tables, then the tensors `copied` and the state of each row, all in one binding.
 */
export type WritableWords<T> = {
  /** Gradient of the output, [B, H, T, Dv]: the binding after key and value, read by `dOutput4`. */
  readonly dOutput?: T | undefined;
  /** Tensors that are copied into the words, by the name of the parameter with their offset. */
  readonly copied: Readonly<Record<string, T>>;
  /** Number of words for the state of each row of queries, from parameter `stateAt` on. */
  readonly stateWords: number;
};

/** Functions that make the tensors of a call available to shaders: for tensors on the device, or for arrays on the host. */
export type TensorAccess<T> = {
  readonly plans: Plans;
  /** Runs `f`, and frees the buffers that were allocated for the call. */
  readonly within: (call: AttentionCall<T>, f: () => void) => void;
  /** Keys or values of all segments as one tensor `[B, Hkv, S, D]` with contiguous rows. */
  readonly rows: (segments: readonly KeyValueSegment<T>[], B: number) => T;
  readonly writeTables: WriteTables<T>;
  /** Layout of queries, keys or values in any storage, read in place. `tableAt`: offset of their block table in `words`. */
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
 * Runs `f` with the layout of a call, and frees the call's buffers afterwards.
 *
 * @returns False for calls with JavaScript functions, which no shader runs, or with dtypes other than float32.
 */
export function withLayout<T extends ViewLayout>(
  context: ForwardContext,
  { plans, within, rows, writeTables }: TensorAccess<T>,
  call: AttentionCall<T>,
  f: (layout: CallLayout, words: GpuBuffer) => void,
  writable?: WritableWords<T>,
): boolean {
  if (!isSupportedCall(call)) return false;
  const { query, keyValues, softcap = 0, sinks, plan, scoreMod, weightMod } = call;
  const sizes = callSizes(call);
  const { B, H, T, S, D, Dv } = sizes;
  const { store, engine } = context;
  const op = store.op;
  within(call, () => {
    const [key, value] = [rows(keyValues.key, B), rows(keyValues.value, B)];
    const contiguousQuery = query.strides[3] === 1 || D <= 1 ? query : rows([query], B);
    store.op = op;
    const params = new Params();
    const { words, listed } = addScoreParams(params, call, sizes);
    const uploadedPlan = plans.upload(context, plan);
    const { rowBoundsAt, columnBoundsAt } = uploadedPlan;
    params.u32("rowBoundsAt", rowBoundsAt).u32("columnBoundsAt", columnBoundsAt).u32("planRows", plan.rows);
    // Each dispatch computes a range of units (blocks of rows).
    params
      .u32("firstUnit", 0)
      .u32("endUnit", 0)
      .u32("rows", B * H * T)
      .u32("pairs", B * H * T * S);
    const { dOutput, copied = {}, stateWords = 0 } = writable ?? {};
    const rowReaders = Object.entries({
      query: contiguousQuery,
      key,
      value,
      ...(dOutput && { dOutput }),
    }).map(([name, x]) => contiguousRows(context, params, name, x));
    const [queryRows, ...otherRows] = rowReaders as [StoredRowsText, ...StoredRowsText[]];
    const tablesAt = writable ? words.length : 0;
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
            ...[
              D,
              Dv,
              ...rowReaders.map(({ key }) => key),
              softcap > 0,
              listed,
              !!sinks,
              !!tableBuffer,
              !!writable,
            ],
            ...[...Object.keys(copied), ...mods],
          ].join(":"),
          reads: [
            ...queryRows.reads,
            uploadedPlan.buffer,
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
          plan: uploadedPlan,
          text: `${rowReaders.map(({ text }) => text).join("\n")}
${boundsText}
${scoreText({
  softcap: softcap > 0,
  listed,
  tableWord: writable ? (index) => `words[${index}]` : tableBuffer && ((index) => `tables[${index}]`),
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
    if (!writable) {
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

// First column of tiles that a row of tiles sees, and the end of those columns.
const boundsText = `fn rowBounds(b: u32, h: u32, row: u32) -> vec2<u32> {
  let at = p.rowBoundsAt + 2u * ((b * p.planBatch + h * p.planHead) / max(p.columns, 1u) + row);
  return vec2<u32>(plan[at], plan[at + 1u]);
}`;

/** True if shaders can run a call: it is in float32, has tiles of 64, and no JavaScript functions. */
export function isSupportedCall(call: AttentionCall<ViewLayout>): boolean {
  const { query, keyValues, firstQuery, scale, softcap, sinks, plan, scoreMod, weightMod, traces, ...rest } =
    call;
  assertExhaustive(rest);
  void [keyValues, firstQuery, scale, softcap, sinks, traces];
  const runs = [scoreMod, weightMod].every((mod) => !mod || isShaderText(mod));
  return runs && query.dtype === "float32" && plan.queryTile === planTile && plan.keyTile === planTile;
}
