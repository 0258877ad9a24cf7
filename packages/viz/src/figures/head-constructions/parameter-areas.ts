import { countText } from "../bytes-text.js";
import type { Mark } from "../mark.js";
import { constructionNames, type ConstructionName, type HeadConstructionsModel } from "./model.js";

/** Names of the constructions. */
export const titles: Readonly<Record<ConstructionName, string>> = {
  fused: "One matrix, then split",
  "per-head": "A matrix per head",
  "split-input": "Split the input first",
  summed: "Full-size heads, added",
};

/** Parameters in millions: "1.05M". */
export const millions = (count: number): string => `${(count / 1e6).toFixed(2)}M`;

/** The parameters of each construction at full width as areas, on one scale: a square is one matrix of C by C. */
export function parameterAreas(
  { large }: HeadConstructionsModel,
  lit: number,
  { x, y, width }: { x: number; y: number; width: number },
): { marks: Mark[]; bottom: number } {
  const { embedDim, numHeads: H, parameters } = large;
  const columns = width < 640 ? 2 : 4;
  const gap = 24;
  const column = (width - gap * (columns - 1)) / columns;
  const square = Math.min(26, column / Math.max(4, H) - 2);
  const step = square + 2;
  const marks: Mark[] = [
    {
      key: "areas:title",
      kind: "text",
      x,
      y: y + 12,
      text: `Parameters at width ${embedDim}, ${H} heads, as areas`,
      size: 13,
      weight: 600,
    },
  ];
  const areaHeight = 40 + 3 * step + 14;
  constructionNames.forEach((name, i) => {
    const [left, top] = [x + (i % columns) * (column + gap), y + 24 + Math.floor(i / columns) * areaHeight];
    const count = parameters[name];
    const times = count / parameters.fused;
    const ratio = times === 1 ? "" : times > 1 ? `, ${times}×` : `, 1/${1 / times}`;
    marks.push(
      { key: `areas:${name}`, kind: "text", x: left, y: top + 12, text: titles[name], fill: "quiet" },
      {
        key: `areas:${name}:count`,
        kind: "text",
        x: left,
        y: top + 30,
        text: `${millions(count)}${ratio}`,
        weight: 700,
        size: 14,
      },
    );
    const matrices = name === "summed" ? 3 * H : 4;
    for (let m = 0; m < matrices; m++) {
      const [row, at] = name === "summed" ? [Math.floor(m / H), m % H] : [0, m];
      const place = { x: left + at * step, y: top + 40 + row * step };
      const color = (["query", "key", "value", "cost"] as const)[name === "summed" ? row : m]!;
      const key = `areas:${name}:${m}`;
      const common = {
        fill: color,
        fillOpacity: 0.3 + 0.45 * lit,
        ariaLabel: `${titles[name]}: ${countText(count)} parameters`,
      } as const;
      if (name === "per-head" || name === "split-input") {
        // Stripes of heads, or blocks on the diagonal.
        for (let h = 0; h < H; h++) {
          const part = square / H;
          const across = name === "split-input" ? h * part : 0;
          marks.push({
            key: `${key}:${h}`,
            kind: "rect",
            x: place.x + across,
            y: place.y + h * part,
            width: name === "split-input" ? part : square,
            height: Math.max(0.3, part - (H > 1 && part > 3 && name === "per-head" ? 1 : 0)),
            ...common,
          });
        }
        if (name === "split-input")
          marks.push({
            key,
            kind: "rect",
            ...place,
            width: square,
            height: square,
            stroke: "hatch",
            dash: true,
          });
      } else marks.push({ key, kind: "rect", ...place, width: square, height: square, ...common });
    }
  });
  const lines = Math.ceil(constructionNames.length / columns);
  return { marks, bottom: y + 24 + lines * areaHeight };
}
