import type { AttentionCall } from "@qkv/attention-contract";
import { sizeOf } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { ForwardContext } from "../../context.js";
import type { Params } from "../../params.js";
import type { Placed } from "../../store.js";
import { addTables } from "./expression-text.js";

type Tables<T> = Pick<AttentionCall<T>, "sinks" | "scoreMod" | "weightMod">;

/** Puts tables into a buffer, one after the other from a place on. */
export type WriteTables<T> = (tables: readonly T[], buffer: GpuBuffer, start: number) => void;

/**
 * Runs `f` with one buffer of a call's sinks and then the tables of its expressions, which ends with the call; undefined
 * where there are none.
 */
export function withTables<T extends Placed>(
  { engine, store }: ForwardContext,
  writeTables: WriteTables<T>,
  { sinks, scoreMod, weightMod }: Tables<T>,
  f: (tables: GpuBuffer | undefined) => void,
): void {
  const tables = callTables({ sinks, scoreMod, weightMod });
  const numbers = tables.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (numbers === 0) return f(undefined);
  const buffer = engine.buffers.allocate(store.op, 4 * numbers);
  try {
    writeTables(tables, buffer, 0);
    f(buffer);
  } finally {
    engine.buffers.free(buffer);
  }
}

/** Sinks and the tables of expressions, in the order in which they lie. */
export const callTables = <T>({ sinks, scoreMod, weightMod }: Tables<T>): readonly T[] => [
  ...(sinks ? [sinks] : []),
  ...(scoreMod?.tables ?? []),
  ...(weightMod?.tables ?? []),
];

/** Adds how the tables of a call's expressions lie after its sinks, which begin at `start`. Returns where they end. */
export function addCallTables(
  params: Params,
  { sinks, scoreMod, weightMod }: Tables<Placed>,
  start = 0,
): number {
  let end = start + (sinks ? sinks.shape[0]! : 0);
  if (scoreMod) end = addTables(params, "table", scoreMod, end);
  if (weightMod) end = addTables(params, "wtable", weightMod, end);
  return end;
}
