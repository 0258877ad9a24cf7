import type { Expression } from "@qkv/attention-contract";
import { expressionText, masked } from "./expression-text.js";
import { planTile } from "./plan-words.js";

/** Facts that the functions of scores depend on, and how they read the words of a call and of its plan. */
export type ScoreTextOptions = {
  readonly softcap: boolean;
  /** True if the positions of the keys are a list, false if they follow each other from a start on. */
  readonly listed: boolean;
  /** WGSL of a word of sinks and tables, by index; absent where there are none. */
  readonly tableWord?: ((index: string) => string) | undefined;
  readonly scoreMod: Expression<unknown> | undefined;
  readonly weightMod: Expression<unknown> | undefined;
  /** WGSL of a word of the call, and of its plan, by index. */
  readonly word: (index: string) => string;
  readonly planWord: (index: string) => string;
};

/** WGSL from dot products to scores: positions of queries and keys, expressions, and the tiles and bits of the plan. */
export function scoreText(options: ScoreTextOptions): string {
  const { softcap, listed, tableWord, scoreMod, weightMod, word, planWord } = options;
  return `${tableWord ? tableText(tableWord) : ""}
fn queryPlace(b: u32, t: u32) -> f32 { return f32(i32(${word("b")}) + i32(t)); }
fn keyPlace(b: u32, g: u32, s: u32) -> f32 {
  return f32(${listed ? `i32(${word("p.positionsAt + b * p.listBatch + g * p.listHead + s")})` : "p.firstKey + i32(s)"});
}
${scoreMod ? expressionText("modified", scoreMod, "table") : ""}
${weightMod ? expressionText("modifiedWeight", weightMod, "wtable") : ""}
fn cappedOf(scaled: f32) -> f32 { return ${softcap ? "p.softcap * tangent(scaled / p.softcap)" : "scaled"}; }
// From a dot product to a score, without the mask.
fn scoreOf(dots: f32, b: u32, h: u32, t: u32, s: u32) -> f32 {
  ${
    scoreMod
      ? "let x = modified(cappedOf(dots * p.scale), f32(b), f32(h), queryPlace(b, t), keyPlace(b, h / p.group, s));"
      : "let x = cappedOf(dots * p.scale);"
  }
  if (isNan(x)) { return x; }
  return max(x, ${masked});
}
// Word of a tile: where its bits begin times 4, plus its class.
fn tileOf(b: u32, h: u32, row: u32, column: u32) -> u32 {
  return ${planWord("b * p.planBatch + h * p.planHead + row * p.columns + column")};
}
// Bits of 32 keys that query t of a tile sees, the first or the second half of them.
fn seenBits(tile: u32, t: u32, half: u32) -> u32 {
  if ((tile & 3u) == 2u) { return 0xffffffffu; }
  return ${planWord(`p.tiles + (tile >> 2u) + (t % ${planTile}u) * 2u + half`)};
}`;
}

/** WGSL of a number of sinks and tables. −∞ stands for masked, and is found by its bits: as a number it may be anything. */
export const tableText = (word: (index: string) => string) => `fn tableAt(i: u32) -> f32 {
  let x = ${word("i")};
  return select(bitcast<f32>(x), ${masked}, bitcast<u32>(x) == 0xff800000u);
}`;
