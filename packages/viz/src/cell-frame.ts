import type { Checks } from "@qkv/core";
import { checkObject } from "./check-data.js";
import { stroke } from "./palette.js";
import { px } from "./picture.js";
import { svg, type Svg } from "./svg.js";

/** A cell of a map that a reader can choose. */
export type SelectedCell = {
  /** From 0. */
  readonly row: number;
  /** From 0. */
  readonly column: number;
};

/** A query that a reader selected in a picture of weights, and optionally one of its keys. */
export type SelectedWeight = {
  /** The query, from 0. */
  readonly row: number;
  /** The key, from 0. */
  readonly column?: number | undefined;
};

/** Checks a selected weight against the numbers of queries and keys. */
export function checkSelectedWeight(
  check: Checks,
  selected: SelectedWeight | undefined,
  [queries, keys]: readonly [number, number],
): void {
  if (selected === undefined) return;
  checkObject(check, { selected }, "a weight, { row, column }");
  const { row, column } = check.options(selected, ["row", "column"], "selected");
  check.whole({ "selected.row": row }, { min: 0, max: queries - 1, fix: "count queries from 0." });
  const fix = "leave `column` out for a query alone.";
  if (column !== undefined) check.whole({ "selected.column": column }, { min: 0, max: keys - 1, fix });
}

/** Checks a selected cell against the numbers of rows and columns. */
export function checkSelectedCell(
  check: Checks,
  selected: SelectedCell | undefined,
  [rows, columns]: readonly [number, number],
  argument = "selected",
): void {
  if (selected === undefined) return;
  checkObject(check, { [argument]: selected }, "a cell, { row, column }");
  const { row, column } = check.options(selected, ["row", "column"], argument);
  const fix = "leave it out for none.";
  check.whole({ [`${argument}.row`]: row }, { min: 0, max: rows - 1, fix });
  check.whole({ [`${argument}.column`]: column }, { min: 0, max: columns - 1, fix });
}

/** The frame of the selected cell. Elements find it by the attribute `data-qkv-selected`. */
export function cellFrame(
  x: number,
  y: number,
  width: number,
  height: number,
  color: "query" | "key" = "query",
): Svg {
  const place = svg`x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}"`;
  return svg`<rect data-qkv-selected="" ${place} fill="none" pointer-events="none" stroke-width="3" ${stroke(color)}/>`;
}
