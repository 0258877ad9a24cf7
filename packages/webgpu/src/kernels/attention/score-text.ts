import type { Expression } from "@qkv/attention-contract";
import { expressionText, masked } from "./expression-text.js";
import { planTile } from "./plan-words.js";

/** Properties of a call that the score functions depend on, and how they read its words and its plan. */
export type ScoreTextOptions = {
  readonly softcap: boolean;
  /** True if the positions of the keys are a list, false if they are consecutive. */
  readonly listed: boolean;
  /** WGSL that reads a word of sinks and tables by index; absent if there are none. */
  readonly tableWord?: ((index: string) => string) | undefined;
  readonly scoreMod: Expression<unknown> | undefined;
  readonly weightMod: Expression<unknown> | undefined;
  /** WGSL that reads a word of the call, and of its plan, by index. */
  readonly word: (index: string) => string;
  readonly planWord: (index: string) => string;
};

/** WGSL functions that compute scores from dot products, with positions and expressions, and read the tiles and mask bits of the plan. */
export function scoreText(options: ScoreTextOptions): string {
  const { softcap, listed, tableWord, scoreMod, weightMod, word, planWord } = options;
  return `${tableWord ? tableText(tableWord) : ""}
fn queryPosition(b: u32, t: u32) -> f32 { return f32(i32(${word("b")}) + i32(t)); }
fn keyPosition(b: u32, g: u32, s: u32) -> f32 {
  return f32(${listed ? `i32(${word("p.positionsAt + b * p.listBatch + g * p.listHead + s")})` : "p.firstKey + i32(s)"});
}
${scoreMod ? expressionText("modified", scoreMod, "table") : ""}
${weightMod ? expressionText("modifiedWeight", weightMod, "wtable") : ""}
fn softcapped(scaled: f32) -> f32 { return ${softcap ? "p.softcap * tanh_(scaled / p.softcap)" : "scaled"}; }
// The score of a dot product, without the mask.
fn unmaskedScore(dots: f32, b: u32, h: u32, t: u32, s: u32) -> f32 {
  ${
    scoreMod
      ? "let x = modified(softcapped(dots * p.scale), f32(b), f32(h), queryPosition(b, t), keyPosition(b, h / p.group, s));"
      : "let x = softcapped(dots * p.scale);"
  }
  if (isNan(x)) { return x; }
  return max(x, ${masked});
}
// Word of a tile: offset of its mask bits times 4, plus its class.
fn tileWord(b: u32, h: u32, row: u32, column: u32) -> u32 {
  return ${planWord("b * p.planBatch + h * p.planHead + row * p.columns + column")};
}
// Mask bits of query t in a tile: its first or second 32 keys.
fn seenBits(tile: u32, t: u32, half: u32) -> u32 {
  if ((tile & 3u) == 2u) { return 0xffffffffu; }
  return ${planWord(`p.tiles + (tile >> 2u) + (t % ${planTile}u) * 2u + half`)};
}`;
}

/** WGSL that reads a number of sinks and tables. −∞ means masked, and is detected by its bits: computing with it is undefined. */
export const tableText = (word: (index: string) => string) => `fn tableAt(i: u32) -> f32 {
  let x = ${word("i")};
  return select(bitcast<f32>(x), ${masked}, bitcast<u32>(x) == 0xff800000u);
}`;
