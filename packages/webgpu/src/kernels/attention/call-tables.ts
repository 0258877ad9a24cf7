import type { AttentionCall } from "@qkv/attention-contract";
import { sizeOf } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { Context } from "../../context.js";
import type { Params } from "../../params.js";
import { copyInto } from "../copy-into.js";
import { packedStrides } from "../packed.js";
import { addTables } from "./expression-text.js";

type Tables = Pick<AttentionCall, "sinks" | "scoreMod" | "weightMod">;

/**
 * Runs `f` with one buffer of a call's sinks and then the tables of its expressions, which ends with the call; undefined
 * where there are none.
 */
export function withTables(
  context: Context,
  { sinks, scoreMod, weightMod }: Tables,
  f: (tables: GpuBuffer | undefined) => void,
): void {
  const { engine, store } = context;
  const op = store.op;
  const tables = [...(sinks ? [sinks] : []), ...(scoreMod?.tables ?? []), ...(weightMod?.tables ?? [])];
  const numbers = tables.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (numbers === 0) return f(undefined);
  const buffer = engine.buffers.allocate(op, 4 * numbers);
  try {
    let at = 0;
    for (const table of tables) {
      copyInto(context, op, table, buffer, { strides: packedStrides(table.shape), offset: at });
      at += sizeOf(table.shape);
    }
    f(buffer);
  } finally {
    engine.buffers.free(buffer);
  }
}

/** Adds how the tables of a call's expressions lie in that buffer. */
export function addCallTables(params: Params, { sinks, scoreMod, weightMod }: Tables): void {
  let end = sinks ? sinks.shape[0]! : 0;
  if (scoreMod) end = addTables(params, "table", scoreMod, end);
  if (weightMod) addTables(params, "wtable", weightMod, end);
}
