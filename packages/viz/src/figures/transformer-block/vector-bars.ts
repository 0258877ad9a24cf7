import type { ThemeName } from "../../palette.js";
import type { Mark } from "../mark.js";
import { textMark } from "./text-mark.js";
import { fixed } from "../fixed.js";

/** Rectangle of a vector. Unit: pixels. */
export type Box = { x: number; y: number; width: number; height: number };

/** Options of the drawing of a vector. */
export type VectorOptions = {
  /** Key of its marks, and address of its cells: "write:3" has the cells "write:3:0", "write:3:1" … */
  key: string;
  /** Its name in tooltips. */
  name: string;
  /** Number whose bar has half the height. Longer bars are cut off. */
  scale: number;
  color?: ThemeName;
  opacity?: number;
  home?: string;
  /** The cell that is pointed at. */
  focus?: string | undefined;
};

const maxBars = 160; // bars of a vector; of a longer vector, a bar is the largest of several numbers

/** Bars of a vector: `per` numbers share one bar, which shows the largest magnitude of them. */
export function largestPerBar(values: readonly number[]): {
  per: number;
  bars: { index: number; value: number }[];
} {
  const per = Math.ceil(values.length / maxBars);
  const bars: { index: number; value: number }[] = [];
  for (let first = 0; first < values.length; first += per) {
    let index = first;
    for (let i = first; i < Math.min(first + per, values.length); i++)
      if (Math.abs(values[i]!) > Math.abs(values[index]!)) index = i;
    bars.push({ index, value: values[index]! });
  }
  return { per, bars };
}

/** The 99th percentile of the magnitudes of all numbers, as a scale on which nearly all of them fit. */
export function percentileScale(vectors: readonly (readonly number[])[]): number {
  const sizes = vectors.flat().map(Math.abs);
  sizes.sort((a, b) => a - b);
  return sizes[Math.floor(0.99 * (sizes.length - 1))] || 1;
}

const short = (value: number) => Math.round(10 * value) / 10;

/** A vector as bars: positive numbers up and dark, negative ones down and gray. */
export function vectorBars(values: readonly number[], box: Box, options: VectorOptions): Mark[] {
  const { key, name, scale, color = "text", opacity = 1, home, focus } = options;
  const { bars } = largestPerBar(values);
  const [pitch, middle] = [box.width / bars.length, box.height / 2];
  const path = (sign: 1 | -1) => {
    let d = `M0 ${short(middle)}`;
    bars.forEach(({ value }, i) => {
      const length = Math.min(1, Math.max(0, (sign * value) / scale)) * middle;
      d += `V${short(middle - sign * length)}H${short((i + 1) * pitch)}`;
    });
    return `${d}V${short(middle)}Z`;
  };
  const place = { x: box.x, y: box.y, opacity, ...(home !== undefined && { home }) };
  const marks: Mark[] = [
    {
      key: `${key}/zero`,
      kind: "path",
      ...place,
      d: `M0 ${short(middle)}H${short(box.width)}`,
      stroke: "rule",
    },
    { key: `${key}/up`, kind: "path", ...place, d: path(1), fill: color, fillOpacity: 0.85 },
    { key: `${key}/down`, kind: "path", ...place, d: path(-1), fill: "hatch", fillOpacity: 0.9 },
  ];
  if (opacity < 0.5) return marks;
  marks.push({
    key: `${key}/all`,
    kind: "rect",
    ...box,
    fill: "paper",
    fillOpacity: 0,
    layer: 1,
    ariaLabel: `${name}: ${values.length} numbers`,
    cell: key,
  });
  if (focus !== key && !focus?.startsWith(`${key}:`)) return marks;
  bars.forEach(({ index, value }, i) => {
    const cell = `${key}:${i}`;
    marks.push({
      key: `${key}/${i}`,
      kind: "rect",
      x: box.x + i * pitch,
      y: box.y,
      width: pitch,
      height: box.height,
      fill: "weight",
      fillOpacity: 0,
      layer: 1,
      ariaLabel: `${name}, number ${index}: ${fixed(value, 3)}`,
      cell,
    });
  });
  return marks;
}

const numberRoom = 46;

/** The norm of a vector, as a bar with its number. */
export function sizeBar(
  key: string,
  size: number,
  { x, y, width, height }: Box,
  { scale, name, opacity = 1 }: { scale: number; name: string; opacity?: number },
): Mark[] {
  return [
    {
      key: `${key}/size`,
      kind: "rect",
      x,
      y,
      width: Math.max(0.5, (size / scale) * (width - numberRoom)),
      height,
      fill: "cost",
      fillOpacity: 0.55,
      opacity,
      ariaLabel: `norm of ${name}: ${fixed(size)}`,
    },
    textMark(`${key}/size-text`, x + width, y + height / 2 + 4, fixed(size), { anchor: "end", opacity }),
  ];
}

/** A bar with its number: positive to the right and dark, negative to the left and gray. */
export function signedBar(
  key: string,
  value: number,
  { x, y, width, height }: Box,
  {
    scale,
    text,
    ariaLabel,
    cell,
    opacity = 1,
  }: { scale: number; text: string; ariaLabel: string; cell?: string; opacity?: number },
): Mark[] {
  const room = width - numberRoom;
  const zero = x + room / 2;
  const long = (Math.min(1, Math.abs(value) / scale) * room) / 2;
  return [
    {
      key: `${key}/zero`,
      kind: "path",
      x: zero,
      y: y - 3,
      d: `M0 0V${Math.round(height + 6)}`,
      stroke: "hatch",
      opacity,
    },
    {
      key: `${key}/bar`,
      kind: "rect",
      x: value < 0 ? zero - long : zero,
      y,
      width: Math.max(0.5, long),
      height,
      fill: value < 0 ? "hatch" : "text",
      fillOpacity: 0.85,
      opacity,
      ariaLabel,
      ...(cell !== undefined && { cell }),
    },
    textMark(`${key}/text`, x + width, y + height / 2 + 4, text, { anchor: "end", opacity }),
  ];
}
