import type { PictureData } from "../../check-data.js";
import type { ThemeName } from "../../palette.js";
import type { Mark } from "../mark.js";
import type { Box } from "./layout.js";
import { elementAt, columns } from "./model.js";
import { fixed } from "../fixed.js";

/** Shade of a weight. Shades from 0.42 to 0.675 are left out: neither dark nor light letters have enough contrast on them. */
export const weightShade = (weight: number): number => (weight <= 0.5 ? 0.84 * weight : 0.35 + 0.65 * weight);
/** Color of letters on a shade of the scale of weights. */
export const letterColor = (shade: number): ThemeName => (shade > 0.55 ? "paper" : "text");

/** The deepest shade of a color that letters can still be read on. */
export const maxShade = 0.5;

/** Options of a cell: digits of its number, the largest number beside it, and how it is lit. */
export type CellOptions = {
  digits?: number;
  size?: number;
  /** The number drawn in the deepest shade. Default 1. */
  scale?: number;
  /** True for an attention weight, which uses the scale of weights. */
  weight?: boolean;
  /** Writes .42 for 0.42, and 1 for 1.00. */
  short?: boolean;
  /** Paler: it is not part of what the step is about. */
  dim?: boolean;
  hatch?: number;
};

/** A cell with its number: the larger the number, the deeper the color. Negative numbers are gray. */
export function numberCell(
  key: string,
  box: Box,
  value: number,
  color: ThemeName,
  options: CellOptions = {},
): Mark {
  const { digits = 2, size = 12, scale = 1, weight = false, short = false, dim = false, hatch = 0 } = options;
  const gap = box.width > 12 ? 1 : 0.5;
  const share = Math.min(1, Math.abs(value) / scale);
  const negative = value < 0 && fixed(value, digits) !== fixed(0, digits);
  const shade =
    (weight ? weightShade(share) : maxShade * share * (negative ? 0.6 : 1)) * (dim ? 0.4 : 1) * (1 - hatch);
  const full = fixed(value, digits);
  const text = short ? shortText(full, Number.isInteger(value)) : full;
  const fits = box.width >= text.length * size * 0.54 && box.height >= size;
  return {
    key,
    kind: "rect",
    x: box.x + gap,
    y: box.y + gap,
    width: Math.max(0, box.width - 2 * gap),
    height: Math.max(0, box.height - 2 * gap),
    radius: box.width > 12 ? 3 : 1,
    fill: negative ? "cost" : color,
    fillOpacity: shade,
    stroke: "rule",
    opacity: box.opacity,
    hatch,
    size,
    textFill: dim ? "quiet" : weight ? letterColor(shade) : "text",
    ...(fits && hatch < 0.5 && { text }),
  };
}

/** A printed number without the zeros after the point of an integer, or without the zero before the point: 1, .42. */
const shortText = (text: string, isWhole: boolean): string =>
  isWhole ? text.replace(/\.0+$/, "") : text.replace(/^(−?)0\./, "$1.");

/** Rounds to a hundredth of a pixel. Faster than `toFixed`, as a strip has thousands of cells. */
const px = (value: number) => Math.round(100 * value) / 100;

const levels = [0.12, 0.37, 0.66]; // fractions of the largest number from which on a cell is light, middle, dark
const shades = [0.22, 0.5, 0.95];

/** A row of narrow cells as a few paths: one for each shade of positive and of negative numbers. */
export function stripMarks(
  key: string,
  frame: PictureData,
  row: number,
  box: (column: number) => Box,
  color: ThemeName,
  { scale, dim = false }: { scale?: number; dim?: boolean },
): Mark[] {
  const count = columns(frame);
  const largest =
    scale ?? Math.max(1e-9, ...Array.from({ length: count }, (_, c) => Math.abs(elementAt(frame, row, c))));
  const paths = new Map<string, string>();
  for (let c = 0; c < count; c++) {
    const share = elementAt(frame, row, c) / largest;
    const level = levels.findLastIndex((threshold) => Math.abs(share) >= threshold);
    if (level < 0) continue;
    const name = `${share < 0 ? "-" : "+"}${level}`;
    const { x, y, width, height } = box(c);
    const gap = Math.min(0.5, height / 12);
    const d = `M${px(x)} ${px(y + gap)}h${px(width)}v${px(height - 2 * gap)}h${px(-width)}z`;
    paths.set(name, (paths.get(name) ?? "") + d);
  }
  const { opacity } = box(0);
  return [...paths].map(([name, d]): Mark => ({
    key: `${key}/${name}`,
    kind: "path",
    x: 0,
    y: 0,
    d,
    fill: name[0] === "-" ? "cost" : color,
    fillOpacity: shades[Number(name[1])]! * (dim ? 0.4 : 1) * (name[0] === "-" ? 0.8 : 1),
    opacity,
  }));
}
