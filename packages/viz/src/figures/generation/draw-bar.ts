import { easeCubicIn } from "d3-ease";
import { labelWidth } from "../../picture.js";
import type { Mark } from "../mark.js";
import { candidateCell } from "./candidate-bars.js";
import { gutterWidth, smallFontSize, type Place } from "./layout.js";
import { shownToken, type GenerationModel } from "./model.js";
import type { Slot } from "./columns.js";
import type { Stage } from "./steps.js";
import { progressWithin } from "../progress-within.js";

export const drawBarHeight = 66;

/** The interval from 0 to 1, divided among the kept tokens by their probability, and the random number that selects one. */
export function drawBar(model: GenerationModel, stage: Stage, place: Place): { marks: Mark[]; from: Slot } {
  const { x, y, width } = place;
  const { candidates, others, taken, draw, pinned } = model.generated[stage.token]!;
  const left = x + gutterWidth(place);
  const right = x + width - 6;
  const at = (part: number) => left + part * (right - left);
  const top = y + 22;
  const height = 24;
  const opacity = progressWithin(stage.draw, 0, 0.2);
  const falls = easeCubicIn(progressWithin(stage.draw, 0.2, 0.5));
  const hit = stage.draw >= 0.5;
  const base = { kind: "text", size: smallFontSize, fill: "quiet" } as const;
  const marks: Mark[] = [
    { ...base, key: "draw:name", x, y: top + 16, text: "draw", opacity: 0.6 + 0.4 * opacity },
    { ...base, key: "draw:0", x: left, y: top + height + 14, text: "0", opacity: Math.max(0.4, opacity) },
    {
      ...base,
      key: "draw:1",
      x: right,
      y: top + height + 14,
      text: "1",
      anchor: "end",
      opacity: Math.max(0.4, opacity),
    },
    ...(model.topP >= 1 && model.temperature > 0
      ? [
          {
            ...base,
            key: "draw:order",
            x: (left + right) / 2,
            y: top + height + 14,
            anchor: "middle",
            text: "in the order of the vocabulary",
            opacity,
          } as const,
        ]
      : []),
    {
      key: "draw:track",
      kind: "rect",
      x: left,
      y: top,
      width: right - left,
      height,
      radius: 3,
      fill: "rule",
      fillOpacity: 0.45,
      ...(others.keptCount > 0 && {
        ariaLabel: `${others.keptCount} other tokens that are kept: ${others.kept.toFixed(3)}`,
      }),
    },
  ];
  candidates.forEach((one, row) => {
    if (one.to <= one.from) return;
    const word = shownToken(one.text);
    const barWidth = at(one.to) - at(one.from);
    const isTaken = hit && row === taken;
    marks.push({
      key: `draw:segment:${row}`,
      home: `candidate:${row}:2`,
      kind: "rect",
      x: at(one.from) + 0.75,
      y: top,
      width: Math.max(0.5, barWidth - 1.5),
      height,
      radius: 2,
      fill: isTaken ? "text" : "weight",
      fillOpacity: isTaken ? 0.9 : 0.3,
      ...(labelWidth([word]) + 6 < barWidth && { text: word, textFill: isTaken ? "paper" : "text" }),
      opacity,
      ariaLabel: `“${word}” covers ${one.from.toFixed(3)} to ${one.to.toFixed(3)}`,
      cell: candidateCell(stage.token, row),
    });
  });
  const selected = candidates[taken]!;
  const covered = selected.to > selected.from;
  if (draw !== undefined && stage.draw > 0.2) {
    const markX = at(draw);
    const markY = y - 8 + 22 * falls;
    const side = markX > (left + right) / 2 ? -1 : 1;
    marks.push(
      { key: "draw:mark", kind: "path", x: markX, y: markY, d: "M-5 -7H5L0 6z", fill: "query", layer: 2 },
      {
        key: "draw:number",
        kind: "text",
        x: markX + 9 * side,
        y: markY + 2,
        text: hit ? `${draw.toFixed(3)} falls on “${shownToken(selected.text)}”` : draw.toFixed(3),
        anchor: side < 0 ? "end" : "start",
        fill: "query-text",
        weight: 600,
        layer: 2,
        ariaLabel: `number drawn: ${draw.toFixed(3)}`,
      },
    );
  } else if (stage.draw > 0.2) {
    const drawText = pinned
      ? `You took “${shownToken(selected.text)}”${covered ? "" : ", which top-p had cut"}.`
      : `“${shownToken(selected.text)}” is the likeliest: no chance at temperature 0.`;
    marks.push({
      key: "draw:number",
      kind: "text",
      x: left,
      y: top - 8,
      text: drawText,
      fill: "query-text",
      weight: 600,
    });
  }
  const middle = covered ? at((selected.from + selected.to) / 2) : left + 30;
  return { marks, from: { x: middle - 20, y: top, width: 40, height } };
}
