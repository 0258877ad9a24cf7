import { fixed } from "../fixed.js";
import type { Mark } from "../mark.js";
import type { WrittenStateModel } from "./model.js";

const names = 84; // pixels: width of the names of queries

const above = 88; // pixels: height of its title and the names of keys

/** The attention map implied by the outputs: rows up to the current token, whose row is outlined. */
export function impliedMap(
  { tokens, weights }: WrittenStateModel,
  step: number,
  shown: number,
  { x, y, cell }: { x: number; y: number; cell: number },
): Mark[] {
  const T = tokens.length;
  const [left, top] = [x + names, y + above];
  const marks: Mark[] = [
    {
      key: "map:name",
      kind: "text",
      x: left,
      y: y + 12,
      text: "the map that it implies",
      weight: 600,
      fill: "quiet",
    },
  ];
  tokens.forEach(({ text }, t) =>
    marks.push(
      {
        key: `map:query:${t}`,
        kind: "text",
        x: left - 8,
        y: top + (t + 0.5) * cell + 4,
        text,
        anchor: "end",
        fill: "query-text",
        opacity: t <= step ? 1 : 0.4,
        ...(t === step && { weight: 700 as const }),
      },
      {
        key: `map:key:${t}`,
        kind: "text",
        x: left + (t + 0.5) * cell + 4,
        y: top - 6,
        rotate: -60,
        text,
        size: 11,
        fill: "key-text",
        opacity: t <= step ? 1 : 0.4,
      },
    ),
  );
  for (let i = 0; i < T; i++)
    for (let j = 0; j < T; j++) {
      const weight = weights.data[i * T + j]!;
      const hidden = j > i;
      const seen = i < step ? 1 : i === step ? shown : 0;
      const below = weight < -0.005;
      marks.push({
        key: `map:${i}:${j}`,
        kind: "rect",
        x: left + j * cell,
        y: top + i * cell,
        width: cell - 1.5,
        height: cell - 1.5,
        radius: 2,
        fill: hidden ? "rule" : below ? "cost" : "weight",
        fillOpacity: hidden ? 0 : seen * (0.05 + 0.9 * Math.min(1, Math.abs(weight))),
        hatch: hidden ? 1 : 0,
        ...(!hidden && i > step && { stroke: "rule" as const, fillOpacity: 0 }),
        ...(below && seen > 0.5 && { text: "−", size: 13 }),
        ariaLabel: hidden
          ? `${tokens[i]!.text} may not see ${tokens[j]!.text}`
          : i > step
            ? `${tokens[i]!.text} has not come yet`
            : `weight of ${tokens[j]!.text} for ${tokens[i]!.text}: ${fixed(weight, 2)}`,
        cell: `map:${i}:${j}`,
      });
    }
  marks.push({
    key: "map:row",
    kind: "rect",
    x: left - 2.5,
    y: top + step * cell - 2.5,
    width: T * cell + 3.5,
    height: cell + 3.5,
    radius: 4,
    stroke: "query",
    strokeWidth: 2,
    layer: 1,
  });
  return marks;
}

/** Size of the map, for cells of a side. Unit: pixels. */
export const mapSize = (T: number, cell: number): { width: number; height: number } => ({
  width: names + T * cell + 24,
  height: above + T * cell + 6,
});
