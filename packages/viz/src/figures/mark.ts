import type { ThemeName } from "../palette.js";

/**
 * One thing that is seen: everything that draws, moves or reads a figure is built on it. Coordinates are pixels of the
 * scene, `x` and `y` the upper left corner of a rect, the center of a circle, the baseline of a text, and the origin of
 * a path.
 *
 * @example
 * ```ts
 * import type { Mark } from "@qkv/viz/figures";
 *
 * const cell: Mark = {
 *   key: "scores:2:1", // the same thing in the next scene has the same key
 *   kind: "rect", x: 40, y: 20, width: 40, height: 30, radius: 3,
 *   fill: "weight", shade: 0.42, text: "0.42",
 *   home: "query:2", // it grows out of this mark
 *   reads: "weight of “sat” for “cat”: 0.42",
 *   cell: "scores:2:1",
 * };
 * cell.kind; // => "rect"
 * ```
 */
export type Mark = {
  /** The same thing in two scenes has the same key. No two marks of a scene share one. */
  key: string;
  /** Key of the mark that this one grows out of when it comes, and flows back into when it goes. */
  home?: string | undefined;
  kind: "rect" | "circle" | "text" | "path";
  x: number;
  y: number;
  /** Of a rect. */
  width?: number | undefined;
  /** Of a rect. */
  height?: number | undefined;
  /** Of a circle, or of the corners of a rect. Default 0. */
  radius?: number | undefined;
  /** Of a path, relative to `x` and `y`. Two with the same commands change into each other number by number. */
  d?: string | undefined;
  /** Letters: of a text, or in the middle of a rect or a circle. */
  text?: string | undefined;
  /** Side of `x` that a text stands on. Default "start". */
  anchor?: "start" | "middle" | "end" | undefined;
  /** Font size. Default 12. */
  size?: number | undefined;
  /** Font weight. Default 400. */
  weight?: 400 | 600 | 700 | undefined;
  /** Rotates a text around its `x` and `y`. Unit: degrees, clockwise. Default 0. */
  rotate?: number | undefined;
  /** Font. Default: the sans-serif of the system. */
  font?: "sans" | "serif" | "mono" | undefined;
  /** Color inside. Default: "text" of a text, none of others. */
  fill?: ThemeName | undefined;
  /** Color of letters in a rect or a circle. Default "text". */
  ink?: ThemeName | undefined;
  /** Color of the outline. Default: none. */
  stroke?: ThemeName | undefined;
  /** Width of the outline. Default 1. */
  line?: number | undefined;
  /** Opacity of the fill, from 0 to 1: how dark a cell is. Default 1. */
  shade?: number | undefined;
  /** Opacity of all of it, from 0 to 1. Default 1. */
  opacity?: number | undefined;
  /** Opacity of the hatching of a rect, from 0 to 1: masked. Default 0. */
  hatch?: number | undefined;
  /** Dashes the outline: a thing that is not there yet. */
  dash?: boolean | undefined;
  /** Ground, letters, or what moves above them. Default 0; letters in a rect or circle stand in its layer. */
  layer?: 0 | 1 | 2 | undefined;
  /** Sentence said on hover and focus, and a row of the table: `name: number`. */
  reads?: string | undefined;
  /**
   * Address of a number, as "scores:2:1". Arrow keys go from cell to cell, a press chooses it. Two marks of a scene may
   * share it; the first is the one that takes the focus.
   */
  cell?: string | undefined;
};

/** Everything that is seen at one moment. */
export type Scene = {
  width: number;
  height: number;
  marks: readonly Mark[];
  /**
   * Width of the room at the upper left that the scene leaves free for the text of its step. Default: none, and the text
   * stands above the picture.
   */
  aside?: number;
  /** The picture in a sentence or two, for those who do not see it. */
  description: string;
};
