import type { AttentionCall } from "@qkv/attention-contract";
import { sizeOf, type Tensor } from "@qkv/tensor";
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
  const tables = callTables({ sinks, scoreMod, weightMod });
  const numbers = tables.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (numbers === 0) return f(undefined);
  const buffer = engine.buffers.allocate(op, 4 * numbers);
  try {
    writeTables(context, tables, buffer, 0);
    f(buffer);
  } finally {
    engine.buffers.free(buffer);
  }
}

/** Sinks and the tables of expressions, in the order in which they lie. */
export const callTables = ({ sinks, scoreMod, weightMod }: Tables): readonly Tensor[] => [
  ...(sinks ? [sinks] : []),
  ...(scoreMod?.tables ?? []),
  ...(weightMod?.tables ?? []),
];

/** Copies tables to a buffer, one after the other from a place on. */
export function writeTables(
  context: Context,
  tables: readonly Tensor[],
  buffer: GpuBuffer,
  start: number,
): void {
  let at = start;
  for (const table of tables) {
    copyInto(context, context.store.op, table, buffer, { strides: packedStrides(table.shape), offset: at });
    at += sizeOf(table.shape);
  }
}

/** Adds how the tables of a call's expressions lie behind its sinks, which begin at `start`. Returns where they end. */
export function addCallTables(params: Params, { sinks, scoreMod, weightMod }: Tables, start = 0): number {
  let end = start + (sinks ? sinks.shape[0]! : 0);
  if (scoreMod) end = addTables(params, "table", scoreMod, end);
  if (weightMod) end = addTables(params, "wtable", weightMod, end);
  return end;
}
