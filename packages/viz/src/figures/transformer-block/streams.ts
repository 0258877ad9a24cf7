import type { Mark } from "../mark.js";
import { chipHeight, type Layout } from "./layout.js";
import { rowMiddle, type Row } from "./row.js";
import { mean, quoted, range, shown, vector, type Chosen, type TransformerBlockModel } from "./model.js";
import type { View } from "./view.js";
import { fixed } from "../fixed.js";

const textMark = (key: string, x: number, y: number, text: string, more: Partial<Mark> = {}): Mark => ({
  key,
  kind: "text",
  x,
  y,
  text,
  layer: 1,
  ...more,
});

/** The tokens with their ids, and the line of the residual stream of each, down to the last row. */
export function streams(
  { tokens }: TransformerBlockModel,
  { t }: Chosen,
  { chips, lanes, lanesTop, phone, rows }: Layout,
  { tokens: alone }: View,
): Mark[] {
  const marks: Mark[] = [];
  const end = rowMiddle(rows.at(-1)!);
  tokens.forEach(({ text, id }, i) => {
    const { x, y, width } = chips[i]!;
    const lane = lanes[i]!;
    const on = i === t;
    const opacity = on ? 1 : i < t ? 0.55 : 0.22;
    if (!phone) {
      const [from, below] = [y + chipHeight + 18, lanesTop];
      const half = (from + below) / 2;
      marks.push({
        key: `wire:${i}`,
        kind: "path",
        x: 0,
        y: 0,
        d: `M${Math.round(x + width / 2)} ${from}C${Math.round(x + width / 2)} ${half} ${Math.round(lane)} ${half} ${Math.round(lane)} ${below}`,
        stroke: on ? "text" : "hatch",
        strokeWidth: on ? 2.5 : 1,
        opacity: alone ? 0.25 * opacity : opacity,
      });
    }
    marks.push(
      {
        key: `lane:${i}`,
        kind: "path",
        x: lane,
        y: lanesTop,
        d: `M0 0V${Math.round((on ? end : rows.at(-1)!.y) - lanesTop)}`,
        stroke: on ? "text" : "hatch",
        strokeWidth: on ? 3 : 1,
        opacity: alone ? 0.25 * opacity : opacity,
      },
      {
        key: `token:${i}`,
        kind: "rect",
        x,
        y,
        width,
        height: chipHeight,
        radius: 5,
        fill: on ? "text" : "rule",
        fillOpacity: on ? 1 : 0.6,
        text: shown(text),
        textFill: on ? "paper" : "text",
        weight: on ? 600 : 400,
        layer: 1,
        ariaLabel: `token ${i + 1}: ${quoted(text)}, id ${id}${on ? ", followed" : ""}`,
        cell: `token:${i}`,
      },
      textMark(`id:${i}`, x + width / 2, y + chipHeight + 13, String(id), {
        anchor: "middle",
        size: 11,
        fill: on ? "text" : "quiet",
        home: `token:${i}`,
      }),
    );
  });
  return marks;
}

/** Lines of a part: from the stream into its box, and from the box to the sum. Attention reads the other streams too. */
export function wires(
  model: TransformerBlockModel,
  { t }: Chosen,
  { lanes, box, phone }: Layout,
  view: View,
  row: Row,
): Mark[] {
  const { kind, k, key, seen } = row;
  const lane = lanes[t]!;
  const middle = rowMiddle(row);
  const marks: Mark[] = [];
  const opacity = seen ? 1 : 0.35;
  const arrow = (name: string, y: number, into: boolean) => {
    const [from, to] = into ? [lane, box.x] : [box.x, lane + 7];
    const point = into ? "l-5 -3v6z" : "l5 -3v6z";
    marks.push(
      {
        key: `${key}/${name}`,
        kind: "path",
        x: 0,
        y: 0,
        d: `M${Math.round(from)} ${y}H${Math.round(to)}`,
        stroke: "text",
        strokeWidth: 1.5,
        opacity,
      },
      {
        key: `${key}/${name}/point`,
        kind: "path",
        x: Math.round(to),
        y,
        d: `M0 0${point}`,
        fill: "text",
        opacity,
      },
    );
  };
  const part = kind === "attention" || kind === "mlp";
  const gap = Math.min(7, row.height / 4);
  // In a block the norm reads the stream, and the part below reads the norm.
  if (kind === "norm" || (part && view.zoom === "model") || kind === "final")
    arrow("read", Math.round(part ? middle - gap : middle), true);
  if (kind === "embedding") arrow("write", Math.round(middle), false);
  if (!part) return marks;
  const y = Math.round(view.zoom === "model" ? middle + gap : middle);
  arrow("write", y, false);
  for (const [i, x] of lanes.entries()) {
    marks.push({
      key: `${key}/sum:${i}`,
      kind: "circle",
      x,
      y,
      radius: i === t ? 6 : 1.8,
      fill: i === t ? "paper" : "hatch",
      ...(i === t && { stroke: "text", strokeWidth: 1.5 }),
      opacity: i === t ? opacity : 0.5 * opacity,
      layer: 1,
    });
  }
  marks.push({
    key: `${key}/plus`,
    kind: "path",
    x: lane,
    y,
    d: "M-3.5 0H3.5M0 -3.5V3.5",
    stroke: "text",
    strokeWidth: 1.5,
    opacity,
    layer: 1,
  });
  if (kind === "attention" && seen) {
    const { weights } = model.blocks[k / 2]!;
    const attendedY = Math.round(
      view.zoom === "model" ? middle - gap : middle - Math.min(row.height / 2 - 4, 20),
    );
    const strongest = range(t + 1).map((j) =>
      mean(range(model.numHeads).map((h) => vector(weights, h, t)[j]!)),
    );
    if (t > 0) {
      marks.push({
        key: `${key}/others`,
        kind: "path",
        x: 0,
        y: 0,
        d: `M${Math.round(lanes[0]!)} ${attendedY}H${Math.round(view.zoom === "model" ? lane : box.x)}`,
        stroke: "weight",
        strokeWidth: 1,
        opacity: 0.6 * opacity,
      });
    }
    strongest.forEach((weight, j) => {
      marks.push({
        key: `${key}/from:${j}`,
        kind: "circle",
        x: lanes[j]!,
        y: attendedY,
        radius: (phone ? 1 : 1.5) + (phone ? 3 : 5) * Math.sqrt(weight),
        fill: "weight",
        opacity: opacity * (0.35 + 0.65 * Math.min(1, 2 * weight)),
        layer: 1,
        ariaLabel: `block ${k / 2} attends to ${quoted(model.tokens[j]!.text)}: ${fixed(weight)}, the mean of ${model.numHeads} heads`,
        cell: `${key}/from:${j}`,
      });
    });
  }
  return marks;
}
