import type { PictureData } from "../../check-data.js";
import type { ThemeName } from "../../palette.js";
import { numberCell } from "../attention-call/cells.js";
import type { Mark } from "../mark.js";
import { fixed } from "../fixed.js";

type Point = { x: number; y: number };

/** Cells of one size. */
export type CellStyle = {
  cell: number;
  /** Head that is pointed at. Other heads are pale. */
  lit: number | undefined;
};

export const matrixRow = ({ data, shape }: PictureData, row: number): number[] =>
  Array.from({ length: shape[1]! }, (_, column) => data[row * shape[1]! + column]!);

/** Opacity of the marks of a head: 1, or 0.2 if another head is pointed at. */
export const headOpacity = (lit: number | undefined, head: number | undefined): number =>
  lit === undefined || head === undefined || lit === head ? 1 : 0.2;

// Minimum cell sizes in pixels for numbers: cells of a vector have space around them, cells of a matrix do not.
const minVectorCell = 17.5;
const minMatrixCell = 20;

/** Digits and size of a number in a cell: without decimals if it is too long. */
function numberStyle(value: number, cell: number, minCell: number) {
  const digits = fixed(value, 1).replace("0.", ".").length * 6 > cell ? 0 : 1;
  return { digits, size: cell >= minCell ? 11 : 99, short: true };
}

/** The cells of a vector. Numbers that are not computed yet are dashed. */
export function vectorCells(
  key: string,
  { cell, lit }: CellStyle,
  values: readonly number[],
  color: ThemeName,
  {
    at,
    shown = () => 1,
    head,
    ariaLabel,
    address,
  }: {
    at: (i: number) => Point;
    shown?: (i: number) => number;
    head?: (i: number) => number;
    ariaLabel: (i: number) => string;
    address?: (i: number) => string;
  },
): Mark[] {
  const scale = Math.max(1e-9, ...values.map(Math.abs));
  return values.map((value, i) => {
    const opacity = shown(i);
    if (opacity <= 0) return emptyCell(`${key}:${i}:empty`, at(i), cell);
    const box = { ...at(i), width: cell, height: cell, opacity: opacity * headOpacity(lit, head?.(i)) };
    return {
      ...numberCell(`${key}:${i}`, box, value, color, { ...numberStyle(value, cell, minVectorCell), scale }),
      ariaLabel: `${ariaLabel(i)}: ${fixed(value, 3)}`,
      ...(address && { cell: address(i) }),
    };
  });
}

/** The cell of a weight: hatched if the construction does not have it, blank if it is 0. */
export function weightCell(
  key: string,
  { cell, lit }: CellStyle,
  value: number,
  color: ThemeName,
  {
    at,
    head,
    missing,
    ariaLabel,
  }: { at: Point; head: number; missing: string | undefined; ariaLabel: string },
): Mark {
  const box = { ...at, width: cell, height: cell, opacity: headOpacity(lit, head) };
  const hatch = missing === undefined ? 0 : 0.8;
  return {
    ...numberCell(key, box, value, color, { ...numberStyle(value, cell, minMatrixCell), hatch }),
    ...(value === 0 && { text: "" }),
    ariaLabel: missing === undefined ? `${ariaLabel}: ${fixed(value, 3)}` : `${missing}: weight 0`,
  };
}

/** An outline around a number that differs from that of the fused layer. */
export const differenceOutline = (key: string, at: Point, cell: number, opacity: number): Mark => ({
  key,
  kind: "rect",
  ...at,
  width: cell,
  height: cell,
  radius: 3,
  stroke: "text",
  strokeWidth: 2,
  opacity,
  layer: 1,
});

const emptyCell = (key: string, at: Point, cell: number): Mark => ({
  key,
  kind: "rect",
  x: at.x + 1,
  y: at.y + 1,
  width: cell - 2,
  height: cell - 2,
  radius: cell > 12 ? 3 : 1,
  stroke: "hatch",
  dash: true,
  opacity: 0.5,
});
