import { checks } from "@qkv/core";
import {
  applyRule,
  expression,
  type Expr,
  type Expression,
  type Operand,
  type ScoreIndices,
} from "./expressions/expression.js";

/** A rule for each score, or for each weight: a value that combines with others. */
export type ScoreMod = {
  /** The call that made it: `alibi(8)`. */
  readonly name: string;
  /** Notes the arithmetic on a symbolic score and its indices. */
  readonly apply: (score: Expr, at: ScoreIndices) => Operand;
  /** Number of heads that it has numbers for; a call with another number is refused. Default: any. */
  readonly numHeads?: number;
  /** Number of batches that it has numbers for; a call with another number is refused, unless it is 1. Default: any. */
  readonly batchSize?: number;
  /** Number of positions that it has numbers for; a call that reaches further is refused. Default: any. */
  readonly keyLength?: number;
};

/** Sizes of a call that a score mod has numbers for. */
export type ScoreSizes = { numHeads: number; batchSize?: number; keyLength?: number };

/** Refuses a score mod for another number of heads or batches, or for fewer positions. */
export function checkScoreSizes(
  fn: string,
  argument: string,
  mod: ScoreMod,
  { numHeads, batchSize, keyLength }: ScoreSizes,
): void {
  const wrong = (name: string, has: number | undefined, call: number | undefined, fix: string): void => {
    if (has === undefined || call === undefined) return;
    const expected = `numbers for ${name} = ${call}, and it has them for ${has}`;
    checks(fn).refuse({ argument, received: mod.name, expected, fix });
  };
  if (mod.numHeads !== numHeads)
    wrong("numHeads", mod.numHeads, numHeads, "make it for as many heads as the query has.");
  if (mod.batchSize !== 1 && mod.batchSize !== batchSize)
    wrong(
      "B",
      mod.batchSize,
      batchSize,
      "make it for each sequence of the batch, or for one that all share.",
    );
  if (keyLength !== undefined && keyLength > (mod.keyLength ?? Infinity))
    wrong("S", mod.keyLength, keyLength, "make it for every position, those of the cache included.");
}

/** A rule, under the name of the option that it was given as. */
export type Rule = readonly [option: string, rule: ScoreMod["apply"]];

/** One expression of several rules, the first applied first; undefined where there is none. */
export function combineRules(fn: string, rules: readonly (Rule | undefined)[]): Expression | undefined {
  const given = rules.filter((rule) => rule !== undefined);
  if (given.length === 0) return undefined;
  return expression((score, at) =>
    given.reduce((value, [option, rule]) => applyRule(fn, option, rule, value, at, option === "bias"), score),
  );
}
