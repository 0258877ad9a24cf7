import type { ThemeName } from "../../palette.js";
import type { Mark } from "../mark.js";

/** Columns of a vector that is drawn as a block of cells; its numbers fill it row by row. */
const across = 4;
const levels = 5; // shades of a color; the numbers themselves are read in the table

export type Box = { x: number; y: number };

/** Size of a vector's block. */
export const blockSize = (count: number, cell: number) => ({
  width: across * cell,
  height: Math.ceil(count / across) * cell,
});

/**
 * A vector as a block of cells: color where a number is positive, gray where it is negative, paler the smaller it is.
 * Cells of one shade are one path, so that a picture of many vectors stays small.
 *
 * @param shown - Range of the numbers that are there, by index. Default: all.
 */
export function vectorCells(
  key: string,
  { x, y }: Box,
  numbers: readonly number[],
  {
    cell,
    color,
    scale = Math.max(1e-9, ...numbers.map(Math.abs)),
    shown = () => true,
    opacity = 1,
    outline = color,
    reads,
    address,
  }: {
    cell: number;
    color: ThemeName;
    scale?: number;
    shown?: (index: number) => boolean;
    opacity?: number;
    outline?: ThemeName;
    reads: string;
    address?: string;
  },
): Mark[] {
  const size = blockSize(numbers.length, cell);
  const paths = new Map<string, string>();
  const inner = cell - 0.8;
  numbers.forEach((value, i) => {
    if (!shown(i)) return;
    const level = Math.min(levels, Math.ceil((levels * Math.abs(value)) / scale));
    if (level === 0) return;
    const name = `${value < 0 ? "minus" : "plus"}:${level}`;
    const [cx, cy] = [(i % across) * cell, Math.floor(i / across) * cell];
    paths.set(name, `${paths.get(name) ?? ""}M${px(cx)} ${px(cy)}h${px(inner)}v${px(inner)}h-${px(inner)}z`);
  });
  return [
    {
      key,
      kind: "rect",
      x: x - 2,
      y: y - 2,
      width: size.width + 3.2,
      height: size.height + 3.2,
      radius: 3,
      fill: "paper",
      stroke: outline,
      opacity,
      reads,
      ...(address && { cell: address }),
    },
    ...[...paths].map(([name, d]): Mark => {
      const [sign, level] = name.split(":") as [string, string];
      return {
        key: `${key}:${name}`,
        kind: "path",
        x,
        y,
        d,
        fill: sign === "minus" ? "cost" : color,
        shade: Number(level) / levels,
        opacity,
        layer: 1,
      };
    }),
  ];
}

/** An empty block: a vector that is not there yet. */
export const emptyBlock = (key: string, { x, y }: Box, count: number, cell: number): Mark => {
  const size = blockSize(count, cell);
  return {
    key,
    kind: "rect",
    x: x - 2,
    y: y - 2,
    width: size.width + 3.2,
    height: size.height + 3.2,
    radius: 3,
    stroke: "hatch",
    dash: true,
    opacity: 0.6,
  };
};

const px = (value: number) => Number(value.toFixed(2));
