import type { View } from "@qkv/tensor";
import type { AttentionRequest, BlockLayout } from "../attention-request.js";
import { StoredRows } from "./stored-rows.js";

type Shaped = Pick<View, "shape">;

/** The inputs of attention, told apart: query, key parts, value parts, looked-up tables, sinks. */
export type AttentionInputs = {
  readonly query: View;
  readonly keys: readonly View[];
  readonly values: readonly View[];
  /** The tables of scoreMod, then those of weightMod. */
  readonly tables: readonly View[];
  readonly sinks: View | undefined;
  /** How key parts lie, and then value parts; and the scale of each that has one. */
  readonly layouts: readonly (BlockLayout | undefined)[];
  readonly scales: readonly (View | undefined)[];
};

/** Sorts the inputs of one call. */
export function sortInputs<T>(
  inputs: readonly T[],
  attributes: Pick<AttentionRequest, "parts" | "scoreMod" | "weightMod" | "hasSinks" | "layouts">,
) {
  const { parts, scoreMod, weightMod, hasSinks } = attributes;
  const tables = 1 + 2 * parts;
  const sinks = tables + (scoreMod?.tables.length ?? 0) + (weightMod?.tables.length ?? 0);
  const layouts = attributes.layouts ?? new Array<undefined>(2 * parts).fill(undefined);
  let scale = sinks + (hasSinks ? 1 : 0);
  return {
    query: inputs[0]!,
    keys: inputs.slice(1, 1 + parts),
    values: inputs.slice(1 + parts, tables),
    tables: inputs.slice(tables, sinks),
    sinks: hasSinks ? inputs[sinks] : undefined,
    layouts,
    scales: layouts.map((layout) => (layout?.scaled ? inputs[scale++] : undefined)),
  };
}

/** The sizes of one call. */
export function sizesOf({
  query,
  keys,
  values,
  layouts,
}: {
  readonly query: Shaped;
  readonly keys: readonly Shaped[];
  readonly values: readonly Shaped[];
  readonly layouts: readonly (BlockLayout | undefined)[];
}) {
  const [B, H, T, D] = query.shape as [number, number, number, number];
  const Hkv = keys[0]!.shape[1]!;
  const S = keys.reduce((sum, { shape }, i) => sum + (layouts[i]?.length ?? shape[2]!), 0);
  return { B, H, Hkv, T, S, D, Dv: values[0]!.shape[3]!, group: H / Hkv };
}

/** The rows of all keys, and of all values, of one call. */
export function storedRows(inputs: AttentionInputs): { keys: StoredRows; values: StoredRows } {
  const { keys, values, layouts, scales } = inputs;
  const { B, S } = sizesOf(inputs);
  const n = keys.length;
  return {
    keys: new StoredRows(keys, layouts.slice(0, n), scales.slice(0, n), B, S),
    values: new StoredRows(values, layouts.slice(n), scales.slice(n), B, S),
  };
}
