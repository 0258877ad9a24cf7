import { easeCubicInOut } from "d3-ease";
import type { ModelStackModel, StackedModel, StackKind } from "./model.js";

/** The context at a moment of a step, on its way from the length before. */
export type StackMoment = { tokens: number; step: number; eased: number };

export function stackMoment({ lengths }: ModelStackModel, step: number, progress: number): StackMoment {
  const [before, after] = [lengths[step - 1] ?? lengths[0]! / 2, lengths[step]!];
  const eased = easeCubicInOut(progress);
  return { tokens: Math.round(before * (after / before) ** eased), step, eased };
}

/** Tokens that the newest one sees in a layer of a kind: those that a cache keeps. */
export const tokensSeen = ({ limit }: StackKind, tokens: number): number =>
  limit === null ? tokens : Math.min(limit, tokens);

/** Bytes that one layer of a kind keeps of so many tokens. */
export const layerBytes = (kind: StackKind, tokens: number): number =>
  kind.cross ? 0 : kind.bytesPerToken * tokensSeen(kind, tokens) + kind.stateBytes;

/** Bytes that all layers keep. */
export const modelBytes = ({ kinds }: StackedModel, tokens: number): number =>
  kinds.reduce((sum, kind) => sum + kind.layers * layerBytes(kind, tokens), 0);

/** Operations for one token: given at each length, a straight line between two. */
export function flopsAt({ flops }: StackedModel, { step, eased }: StackMoment): number {
  const after = flops[step]!;
  return eased >= 1 || step === 0 ? after : flops[step - 1]! + (after - flops[step - 1]!) * eased;
}

/** Shade of a kind: dark where all tokens are seen, lighter where some or none are. */
export const kindShade = ({ limit }: StackKind): number => (limit === null ? 0.95 : limit > 0 ? 0.5 : 0.2);

/** A large count in words: "27 billion". */
export function largeText(value: number): string {
  for (const [size, word] of [
    [1e12, "trillion"],
    [1e9, "billion"],
    [1e6, "million"],
  ] as const)
    if (value >= size) return `${Number((value / size).toPrecision(3))} ${word}`;
  return value.toLocaleString("en-US");
}
