import type { AttentionCall } from "@qkv/attention-contract";
import { sizeOf } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { ForwardContext } from "../../context.js";
import type { Params } from "../../params.js";
import type { ViewLayout } from "../../store.js";
import { addTables } from "./expression-text.js";

type Tables<T> = Pick<AttentionCall<T>, "sinks" | "scoreMod" | "weightMod">;

/** Writes tables to a buffer, one after the other, from word `start` on. */
export type WriteTables<T> = (tables: readonly T[], buffer: GpuBuffer, start: number) => void;

/**
 * Runs `f` with a buffer of the call's sinks and the tables of its expressions, or undefined if it has none. The buffer is
 * freed afterwards.
 */
export function withTables<T extends ViewLayout>(
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

/** Sinks and the tables of expressions, in the order of the buffer. */
export const callTables = <T>({ sinks, scoreMod, weightMod }: Tables<T>): readonly T[] => [
  ...(sinks ? [sinks] : []),
  ...(scoreMod?.tables ?? []),
  ...(weightMod?.tables ?? []),
];

/** Adds the parameters for the tables of a call's expressions, which follow the sinks at `start`. Returns the end offset. */
export function addCallTables(
  params: Params,
  { sinks, scoreMod, weightMod }: Tables<ViewLayout>,
  start = 0,
): number {
  let end = start + (sinks ? sinks.shape[0]! : 0);
  if (scoreMod) end = addTables(params, "table", scoreMod, end);
  if (weightMod) end = addTables(params, "wtable", weightMod, end);
  return end;
}
