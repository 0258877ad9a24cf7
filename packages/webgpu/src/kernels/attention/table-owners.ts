import {
  firstQueryPosition,
  storedPositions,
  type AttentionCall,
  type Expr,
  type SymbolName,
} from "@qkv/attention-contract";
import type { CallLayout } from "./call-layout.js";

/** Indices of a score that determine the number read from a table: scores that differ in one of them read different numbers. */
export type TableOwners = {
  readonly batch: boolean;
  readonly head: boolean;
  readonly query: boolean;
  readonly key: boolean;
};

/**
 * Derives these indices from the lookups of a table: an axis that all of them index by the batch, head, query or key plus a
 * constant integer, always within the axis.
 */
export function tableOwners(
  call: AttentionCall,
  { B, H, T, S }: CallLayout["sizes"],
  shape: readonly number[],
  lookups: readonly Expr[],
): TableOwners {
  const owners = { batch: false, head: false, query: false, key: false };
  const starts = Array.from({ length: B }, (_, b) => firstQueryPosition(call.firstQuery, b));
  const stored = storedPositions(call.keyValues, B);
  const bounds: Partial<Record<SymbolName, readonly [number, number]>> = {
    batch: [0, B - 1],
    head: [0, H - 1],
    ...(starts.every((start) => start === starts[0]) && { query: [starts[0]!, starts[0]! + T - 1] }),
    ...("start" in stored && { key: [stored.start, stored.start + S - 1] }),
  };
  shape.forEach((length, axis) => {
    const indices = lookups.map(({ step }) =>
      symbolAndShift(step.kind === "lookup" ? step.indices[axis]! : undefined),
    );
    const [first] = indices;
    if (!first || !indices.every((x) => x?.symbol === first.symbol && x.shift === first.shift)) return;
    const within = bounds[first.symbol];
    if (!within || first.symbol === "score") return;
    if (within[0] + first.shift >= 0 && within[1] + first.shift < length) owners[first.symbol] = true;
  });
  return owners;
}

/** The symbol and the integer whose sum an index is; undefined for other indices. */
function symbolAndShift(expr: Expr | undefined): { symbol: SymbolName; shift: number } | undefined {
  if (!expr) return undefined;
  const { step } = expr;
  if (step.kind === "symbol") return { symbol: step.name, shift: 0 };
  if (step.kind !== "operation" || (step.name !== "add" && step.name !== "sub")) return undefined;
  const [a, b] = step.operands as [Expr, Expr];
  const inner = symbolAndShift(a);
  if (!inner || b.step.kind !== "number" || !Number.isInteger(b.step.value)) return undefined;
  const shift = step.name === "add" ? b.step.value : -b.step.value;
  return { symbol: inner.symbol, shift: inner.shift + shift };
}
