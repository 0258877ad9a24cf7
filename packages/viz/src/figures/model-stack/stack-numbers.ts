import { easeCubicInOut } from "d3-ease";
import type { ModelStackModel, StackedModel, StackKind } from "./model.js";

/** Context length at a moment of a step, between the previous length and that of the step. */
export type StackMoment = { tokens: number; step: number; eased: number };

export function stackMoment({ lengths }: ModelStackModel, step: number, progress: number): StackMoment {
  const [before, after] = [lengths[step - 1] ?? lengths[0]! / 2, lengths[step]!];
  const eased = easeCubicInOut(progress);
  return { tokens: Math.round(before * (after / before) ** eased), step, eased };
}

/** Tokens that the newest token sees in a layer, which are those in its cache. */
export const tokensSeen = ({ limit }: StackKind, tokens: number): number =>
  limit === null ? tokens : Math.min(limit, tokens);

/** Bytes of the cache or state of one layer after `tokens` tokens. */
export const layerBytes = (kind: StackKind, tokens: number): number =>
  kind.cross ? 0 : kind.bytesPerToken * tokensSeen(kind, tokens) + kind.stateBytes;

/** Bytes of the cache and states of all layers after `tokens` tokens. */
export const modelBytes = ({ kinds }: StackedModel, tokens: number): number =>
  kinds.reduce((sum, kind) => sum + kind.layers * layerBytes(kind, tokens), 0);

/** Operations for one token, linearly interpolated between the lengths of two steps. */
export function flopsAt({ flops }: StackedModel, { step, eased }: StackMoment): number {
  const after = flops[step]!;
  return eased >= 1 || step === 0 ? after : flops[step - 1]! + (after - flops[step - 1]!) * eased;
}

/** Shade of a kind: dark if it sees all tokens, medium with a window, light with a state. */
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
