import type { ThemeName } from "../palette.js";

/**
 * One graphical element of a scene: a rect, circle, text or path. Coordinates are pixels of the
 * scene, `x` and `y` the upper left corner of a rect, the center of a circle, the baseline of a text, and the origin of
 * a path.
 *
 * @example
 * ```ts
 * import type { Mark } from "@qkv/viz/figures";
 *
 * const cell: Mark = {
 *   key: "scores:2:1", // a mark of the next scene with this key is the same one, moved
 *   kind: "rect", x: 40, y: 20, width: 40, height: 30, radius: 3,
 *   fill: "weight", fillOpacity: 0.42, text: "0.42",
 *   home: "query:2", // it grows out of this mark when it enters
 *   ariaLabel: "weight of “sat” for “cat”: 0.42",
 *   cell: "scores:2:1",
 * };
 * cell.kind; // => "rect"
 * ```
 */
export type Mark = {
  /** Identifies the mark: marks of two scenes with one key are animated into each other. Unique within a scene. */
  key: string;
  /** Key of the mark that this one grows out of when it enters, and shrinks into when it exits. Default: it fades in place. */
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
  /** SVG path data of a path, relative to `x` and `y`. Paths with the same commands are interpolated number by number. */
  d?: string | undefined;
  /** Content of a text, or letters in the middle of a rect or a circle. */
  text?: string | undefined;
  /** `text-anchor` of a text: the part of it that is at `x`. Default "start". */
  anchor?: "start" | "middle" | "end" | undefined;
  /** Font size. Unit: pixels. Default 12. */
  size?: number | undefined;
  /** Font weight. Default 400. */
  weight?: 400 | 600 | 700 | undefined;
  /** Rotates a text around its `x` and `y`. Unit: degrees, clockwise. Default 0. */
  rotate?: number | undefined;
  /** Font. Default: the sans-serif of the system. */
  font?: "sans" | "serif" | "mono" | undefined;
  /** Fill color. Default: "text" for a text, none for others. */
  fill?: ThemeName | undefined;
  /** Color of letters in a rect or a circle. Default "text". */
  textFill?: ThemeName | undefined;
  /** Color of the outline. Default: none. */
  stroke?: ThemeName | undefined;
  /** Width of the outline. Unit: pixels. Default 1. */
  strokeWidth?: number | undefined;
  /** Opacity of the fill, from 0 to 1: how dark a cell is. Default 1. */
  fillOpacity?: number | undefined;
  /** Opacity of all of it, from 0 to 1. Default 1. */
  opacity?: number | undefined;
  /** Opacity of the hatching of a rect, from 0 to 1: masked. Default 0. */
  hatch?: number | undefined;
  /** Dashes the outline, for a value that is not computed yet. */
  dash?: boolean | undefined;
  /** Painting order: 0 background (default), 1 letters, 2 moving marks. Letters in a rect or circle are in its layer. */
  layer?: 0 | 1 | 2 | undefined;
  /** Text for hover, focus and screen readers, and a row of the table: `name: number`. */
  ariaLabel?: string | undefined;
  /**
   * Address of a number, as "scores:2:1". Arrow keys go from cell to cell, and a press selects one. If marks of a scene
   * share a cell, the first gets the focus.
   */
  cell?: string | undefined;
};

/** The picture of one moment. */
export type Scene = {
  width: number;
  height: number;
  marks: readonly Mark[];
  /**
   * Width of the area at the upper left that the scene leaves free for the text of its step. Unit: pixels. Default: none, and
   * the text is above the picture.
   */
  aside?: number;
  /** The picture in one or two sentences, for screen readers. */
  description: string;
};
