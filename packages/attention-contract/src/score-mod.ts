import { checks } from "@qkv/core";
import {
  applyRule,
  expression,
  type Expr,
  type Expression,
  type Operand,
  type ScoreIndices,
} from "./expressions/expression.js";

/** A rule that modifies each score or each weight. Rules can be combined. */
export type ScoreMod = {
  /** The call that created it: `alibi(8)`. */
  readonly name: string;
  /** The rule: it is called with a symbolic score and its indices, and records the arithmetic. */
  readonly apply: (score: Expr, at: ScoreIndices) => Operand;
  /** Number of heads for which the rule has parameters; calls with another number are refused. Default: any. */
  readonly numHeads?: number;
  /** Batch size for which the rule has parameters; calls with another one are refused, unless it is 1. Default: any. */
  readonly batchSize?: number;
  /** Number of positions for which the rule has parameters; calls with later positions are refused. Default: any. */
  readonly keyLength?: number;
};

/** Sizes of a call that the parameters of a score mod must fit. */
export type ScoreSizes = { numHeads: number; batchSize?: number; keyLength?: number };

/** Refuses a score mod with parameters for another number of heads, another batch size, or fewer positions. */
export function checkScoreSizes(
  fn: string,
  argument: string,
  mod: ScoreMod,
  { numHeads, batchSize, keyLength }: ScoreSizes,
): void {
  const refuseSize = (name: string, has: number | undefined, call: number | undefined, fix: string): void => {
    if (has === undefined || call === undefined) return;
    const expected = `numbers for ${name} = ${call}, and it has them for ${has}`;
    checks(fn).refuse({ argument, received: mod.name, expected, fix });
  };
  if (mod.numHeads !== numHeads)
    refuseSize("numHeads", mod.numHeads, numHeads, "make it for as many heads as the query has.");
  if (mod.batchSize !== 1 && mod.batchSize !== batchSize)
    refuseSize(
      "B",
      mod.batchSize,
      batchSize,
      "make it for each sequence of the batch, or for one that all share.",
    );
  if (keyLength !== undefined && keyLength > (mod.keyLength ?? Infinity))
    refuseSize("S", mod.keyLength, keyLength, "make it for every position, those of the cache included.");
}

/** A rule with the name of the option by which it was given. */
export type Rule = readonly [option: string, rule: ScoreMod["apply"]];

/** Records several rules as one expression; they are applied in order. Undefined if there are none. */
export function combineRules(fn: string, rules: readonly (Rule | undefined)[]): Expression | undefined {
  const presentRules = rules.filter((rule) => rule !== undefined);
  if (presentRules.length === 0) return undefined;
  return expression((score, at) =>
    presentRules.reduce((value, [option, rule]) => {
      const addsToScore = option === "bias";
      return applyRule(fn, option, rule, value, at, addsToScore);
    }, score),
  );
}
