import type { CopyingAnswer, LensSessionRun, PatternName } from "@qkv/lens/session";
import type { ChosenHead } from "./source-name";

/** A head with its score. */
export type ScoredHead = ChosenHead & { readonly score: number };

/** A head of a ranking. */
export type RankedHead = ScoredHead & {
  /** True: its score is below {@link weakBelow}. */
  readonly isWeak: boolean;
  /** The tokens that it copies, of those that were tried. Undefined: not known. */
  readonly copied: number | undefined;
};

/** Heads that a ranking lists. */
const mostListed = 10;

/** The score below which a head does not show a pattern clearly: a third of the way from that of an even head to 1. */
export const weakBelow = (uniform: number): number => uniform + (1 - uniform) / 3;

/**
 * Tells a head that cannot be an induction head: in layer 0 nothing of the tokens before has been written to a key yet, and induction
 * needs a key that knows the token before it.
 */
export const readsNoTokenBefore = ({ layer }: ChosenHead): boolean => layer === 0;

/** Heads by a score, the highest first; those without a score are left out, and of induction those that cannot do it come last. */
export function sortedHeads(
  { scores, layers, numHeads }: Pick<LensSessionRun, "scores" | "layers" | "numHeads">,
  name: PatternName,
): ScoredHead[] {
  const isLast = (head: ChosenHead) => Number(name === "induction" && readsNoTokenBefore(head));
  return Array.from(scores[name] ?? [], (score, i) => ({
    layer: layers[Math.floor(i / numHeads)]!,
    head: i % numHeads,
    score,
  }))
    .filter(({ score }) => !Number.isNaN(score))
    .sort((a, b) => isLast(a) - isLast(b) || b.score - a.score)
    .slice(0, mostListed);
}

/** Tells a head that attends as induction does and copies half of the tokens or more. */
export const copiesClearly = ({ layer, head, isWeak, copied }: RankedHead, tried: number): boolean =>
  !readsNoTokenBefore({ layer, head }) &&
  !isWeak &&
  copied !== undefined &&
  copied > 0 &&
  copied >= tried / 2;

/** The sorted heads with what they copy: those that attend and copy clearly come first. */
export function rankedHeads(
  heads: readonly ScoredHead[],
  uniform: number,
  copying: CopyingAnswer | undefined,
): RankedHead[] {
  const tried = copying?.positions.length ?? 0;
  const ranked = heads.map((head, i) => ({
    ...head,
    isWeak: head.score < weakBelow(uniform),
    copied: copying?.copied[i],
  }));
  const isClear = (head: RankedHead) => Number(copiesClearly(head, tried));
  return ranked.sort((a, b) => isClear(b) - isClear(a));
}
