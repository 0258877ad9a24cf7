import { px } from "../../picture.js";
import { bytesText, countText } from "../bytes-text.js";
import type { Mark } from "../mark.js";
import { wrapText } from "../wrap-text.js";
import type { StackedModel, StackKind, StackRun, StackSide } from "./model.js";
import { kindShade, layerBytes, tokensSeen } from "./stack-numbers.js";

/** Place of a stack. `row`: the height of a layer, the same for all models that are compared. Unit: pixels. */
export type LayersPlace = { x: number; y: number; width: number; row: number };

// Heights of the name of a side, of the heading and of the axis, and the width of the texts beside the layers. Unit: pixels.
const [nameHeight, headingHeight, axisHeight, textWidth] = [22, 36, 30, 128];
const betweenRuns = 6;

/** Height of the layers of a model, for rows of height `row`. Unit: pixels. */
export const layersHeight = ({ sides }: StackedModel, row: number): number =>
  headingHeight +
  axisHeight +
  sides.reduce(
    (sum, { name, layers, runs }) =>
      sum + (name ? nameHeight : 0) + sideHeight(layers.length, runs, row) + 10,
    0,
  );

const sideHeight = (layers: number, runs: readonly StackRun[], row: number): number =>
  layers * row + breaks(runs) * pause(row) + (runs.length - 1) * betweenRuns;

/** Number of gaps between repetitions of patterns. */
const breaks = (runs: readonly StackRun[]): number =>
  runs.reduce((sum, { pattern, times }) => sum + (pattern.length > 1 ? times - 1 : 0), 0);
const pause = (row: number) => (row > 4 ? 2 : 1);

/**
 * Marks of all layers, the first at the top. The length of a layer is the part of the context that its newest token sees.
 * Brackets join runs of identical layers, or of a repeated pattern of layers.
 */
export function layers(
  model: StackedModel,
  tokens: number,
  prefix: string,
  lit: string | undefined,
  { x, y, width, row }: LayersPlace,
): Mark[] {
  const bars = width - textWidth;
  const marks: Mark[] = [
    {
      key: `${prefix}layers:title`,
      kind: "text",
      x,
      y: y + 12,
      text: "Layers, the first at the top",
      size: 13,
      weight: 600,
    },
    {
      key: `${prefix}layers:length`,
      kind: "text",
      x,
      y: y + 28,
      text: `Length: tokens that ${model.bytesPerToken > 0 ? "the newest" : "each"} one sees`,
      size: 11,
      fill: "quiet",
    },
  ];
  let top = y + headingHeight;
  const first = top;
  for (const [index, side] of model.sides.entries()) {
    if (side.name) {
      marks.push({
        key: `${prefix}side:${index}`,
        kind: "text",
        x,
        y: top + 15,
        text: `${side.name}, ${side.layers.length} layers`,
        weight: 600,
      });
      top += nameHeight;
    }
    const drawn = sideMarks(
      model,
      side,
      `${prefix}side:${index}`,
      tokens,
      lit,
      { x, y: top, width, row },
      bars,
    );
    marks.push(...drawn.marks);
    top = drawn.bottom + 10;
  }
  const end = top - 6;
  for (const [part, text] of [
    [0, "0"],
    [1, `${countText(tokens)} tokens`],
  ] as const) {
    marks.push(
      {
        key: `${prefix}layers:axis:${part}`,
        kind: "path",
        x: x + part * bars,
        y: first,
        d: `M0 0V${px(end - first)}`,
        stroke: "rule",
      },
      {
        key: `${prefix}layers:tick:${part}`,
        kind: "text",
        x: x + part * bars,
        y: end + 14,
        text,
        anchor: part === 0 ? "start" : "end",
        size: 11,
        fill: "quiet",
      },
    );
  }
  return marks;
}

function sideMarks(
  { kinds }: StackedModel,
  { layers: all, runs }: StackSide,
  prefix: string,
  tokens: number,
  lit: string | undefined,
  { x, y, row }: LayersPlace,
  bars: number,
): { marks: Mark[]; bottom: number } {
  const marks: Mark[] = [];
  let [top, at] = [y, 0];
  runs.forEach(({ pattern, times }, r) => {
    const start = top;
    for (let time = 0; time < times; time++) {
      for (const index of pattern) {
        const kind = kinds[index]!;
        const seen = tokensSeen(kind, tokens);
        marks.push({
          key: `${prefix}:${at}`,
          kind: "rect",
          x,
          y: top,
          width: kind.limit === 0 ? 14 : Math.max(3, (seen / tokens) * bars),
          height: Math.max(1, row - (row > 4 ? 1.5 : 0.8)),
          radius: Math.min(2, row / 4),
          fill: "weight",
          fillOpacity: kindShade(kind),
          ...(kind.limit === 0 && { stroke: "weight" }),
          opacity: lit === undefined || lit === kind.id ? 1 : 0.25,
          ariaLabel: `layer ${at + 1} of ${all.length}, ${kind.short}: ${layerReads(kind, tokens)}`,
          cell: `${prefix}:${at}:${kind.id}`,
        });
        top += row;
        at++;
      }
      if (pattern.length > 1 && time < times - 1) top += pause(row);
    }
    const bottom = top - (row > 4 ? 1.5 : 0.8);
    const middle = (start + bottom) / 2;
    const left = x + bars + 8;
    marks.push({
      key: `${prefix}:bracket:${r}`,
      kind: "path",
      x: left,
      y: start,
      d: `M0 0H5V${px(Math.max(1, bottom - start))}H0`,
      stroke: "quiet",
    });
    const lines = runLines({ pattern, times }, kinds);
    // A short run has room for one line beside it.
    const shown = bottom - start < 16 * lines.length - 6 && runs.length > 1 ? [lines.join(" ")] : lines;
    shown.forEach((text, i) =>
      marks.push({
        key: `${prefix}:run:${r}:${i}`,
        kind: "text",
        x: left + 11,
        y: middle + 4 + 16 * (i - (shown.length - 1) / 2),
        text,
        ...(i === 0 && { weight: 600 }),
      }),
    );
    top += betweenRuns;
  });
  return { marks, bottom: top - betweenRuns };
}

function layerReads(kind: StackKind, tokens: number): string {
  const bytes = layerBytes(kind, tokens);
  if (kind.limit === 0) return `a state of ${bytesText(bytes)}, however long the text`;
  const sees = `sees ${countText(tokensSeen(kind, tokens))} of ${countText(tokens)} tokens`;
  return bytes === 0 ? sees : `${sees}, keeps ${bytesText(bytes)}`;
}

/** A run in words: ["×10", "5 sliding, 1 full"], or ["24 full"]. */
export function runLines({ pattern, times }: StackRun, kinds: readonly StackKind[]): string[] {
  if (pattern.length === 1) return [times === 1 ? "1" : `×${times}`, kinds[pattern[0]!]!.short];
  const groups: { index: number; count: number }[] = [];
  for (const index of pattern) {
    const last = groups.at(-1);
    if (last?.index === index) last.count++;
    else groups.push({ index, count: 1 });
  }
  const text = groups.map(({ index, count }) => `${count} ${kinds[index]!.short}`).join(", ");
  return [`×${times}`, ...wrapText(text, textWidth - 22)];
}
