import type { Mark } from "../mark.js";
import { labelWidth } from "../../picture.js";
import type { Layout } from "./layout.js";
import { partText, quoted, shown, type Chosen, type TransformerBlockModel } from "./model.js";
import type { View } from "./view.js";
import { percent } from "../percents.js";

const line = 26;

/** Height of the next tokens. */
export const nextHeight = (phone: boolean, count: number): number => (phone ? 44 + count * line : 92);

/** The most probable next tokens: bars of their probabilities, and outlines of those with nothing removed. */
export function nextTokens(
  model: TransformerBlockModel,
  { t, target }: Chosen,
  { phone, width, next: y }: Layout,
  view: View,
): Mark[] {
  const list = model.next[t]!;
  const removed = model.removed !== "none";
  const dim = (view.lit || view.tokens) && !removed && view.speaks !== "next" ? 0.55 : 1;
  const title = `Next token after ${quoted(model.tokens[t]!.text)}`;
  const marks: Mark[] = [
    { key: "next/rule", kind: "path", x: 0, y, d: `M0 0H${width}`, stroke: "rule" },
    {
      key: "next/title",
      kind: "text",
      x: 0,
      y: y + 22,
      text: title,
      size: 14,
      weight: 600,
      layer: 1,
      opacity: dim,
    },
  ];
  if (removed) {
    const text = `without ${partText(model.removed)}; outlined: with all parts`;
    const beside = labelWidth([title]) * 1.32 + 18;
    const below = beside + labelWidth([text]) > width;
    marks.push({
      key: "next/removed",
      kind: "text",
      x: below ? 0 : beside,
      y: below ? y + 38 : y + 22,
      text,
      layer: 1,
      opacity: dim,
      fill: "quiet",
    });
  }
  const pitch = phone ? 0 : width / list.length;
  const top = y + (phone ? (removed ? 48 : 34) : 46);
  list.forEach((token, i) => {
    const { id, text, before, now } = token;
    const key = `next:${id}`;
    const on = token === target;
    const change = removed ? `, before ${percent(before)}` : "";
    const x = i * pitch;
    const room = phone ? width - 84 - (removed ? 100 : 52) : pitch - 24;
    const place = phone ? { x: 84, y: top + i * line, height: 16 } : { x, y: top + 22, height: 12 };
    const label = phone ? { x: 0, y: place.y + 12 } : { x, y: top + 10 };
    const number = removed ? `${percent(before)} → ${percent(now)}` : percent(now);
    marks.push(
      {
        key,
        kind: "rect",
        x: phone ? 0 : x,
        y: phone ? place.y - 4 : top - 8,
        width: phone ? width : pitch - 12,
        height: phone ? line - 2 : 48,
        radius: 5,
        fill: "rule",
        fillOpacity: on ? 0.45 : 0,
        opacity: dim,
        ariaLabel: `${quoted(text)}: ${percent(now)}${change}`,
        cell: `target:${i}`,
      },
      {
        key: `${key}/text`,
        kind: "text",
        ...label,
        x: label.x + 6,
        text: shown(text),
        weight: on ? 700 : 400,
        size: 13,
        layer: 1,
        opacity: dim,
      },
      {
        key: `${key}/number`,
        kind: "text",
        x: phone ? width - 6 : x + pitch - 20,
        y: label.y,
        anchor: "end",
        text: number,
        layer: 1,
        opacity: dim,
      },
      {
        key: `${key}/track`,
        kind: "rect",
        x: place.x + 6,
        y: place.y,
        width: room - 6,
        height: place.height,
        radius: 2,
        fill: "rule",
        fillOpacity: 0.5,
        opacity: dim,
      },
      {
        key: `${key}/now`,
        kind: "rect",
        x: place.x + 6,
        y: place.y,
        width: Math.max(1, now * (room - 6)),
        height: place.height,
        radius: 2,
        fill: "text",
        fillOpacity: 0.85,
        opacity: dim,
      },
    );
    if (removed)
      marks.push({
        key: `${key}/before`,
        kind: "rect",
        x: place.x + 6,
        y: place.y - 1.5,
        width: Math.max(1, before * (room - 6)),
        height: place.height + 3,
        radius: 2,
        stroke: "weight",
        strokeWidth: 1.5,
        dash: true,
        opacity: dim,
      });
  });
  return marks;
}
