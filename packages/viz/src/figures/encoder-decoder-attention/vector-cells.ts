import type { ThemeName } from "../../palette.js";
import type { Mark } from "../mark.js";

/** Columns of the block of cells of a vector, which is filled row by row. */
const columns = 4;
const levels = 5; // shades of a color; the numbers themselves are read in the table

export type Box = { x: number; y: number };

/** Size of a vector's block. */
export const blockSize = (count: number, cell: number) => ({
  width: columns * cell,
  height: Math.ceil(count / columns) * cell,
});

/**
 * A vector as a block of cells. Positive numbers are colored, negative ones gray, larger ones deeper. Cells of one shade
 * share one path, which keeps the SVG small.
 *
 * @param shown - Tells which numbers are drawn, by index. Default: all.
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
    ariaLabel,
    address,
  }: {
    cell: number;
    color: ThemeName;
    scale?: number;
    shown?: (index: number) => boolean;
    opacity?: number;
    outline?: ThemeName;
    ariaLabel: string;
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
    const [cx, cy] = [(i % columns) * cell, Math.floor(i / columns) * cell];
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
      ariaLabel,
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
        fillOpacity: Number(level) / levels,
        opacity,
        layer: 1,
      };
    }),
  ];
}

/** A dashed block, for a vector that is not computed yet. */
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
