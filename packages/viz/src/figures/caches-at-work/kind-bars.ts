import { bytesText, countText } from "../bytes-text.js";
import type { Mark } from "../mark.js";
import { wrapText } from "../wrap-text.js";
import type { CachesAtWorkModel } from "./model.js";

const step = 25;

/** Height of the bars with their note. */
export const kindBarsHeight = ({ kinds }: CachesAtWorkModel, width: number): number =>
  30 + kinds.length * step + 8 + 16 * wrapText(note, width).length;

const note = "Filled: holds tokens. Dashed: allocated, still free. Press a bar to see that kind.";

/** A bar for each kind: the outline is what is allocated, the filled part what holds tokens. */
export function kindBars(
  { kinds }: CachesAtWorkModel,
  chosen: string,
  index: number,
  { x, y, width }: { x: number; y: number; width: number },
): Mark[] {
  const maxBytes = Math.max(...kinds.flatMap(({ moments }) => moments.map(({ bytes }) => bytes)));
  const left = x + 104;
  const room = x + width - 72 - left;
  const top = y + 30;
  const marks: Mark[] = [
    {
      key: "kinds:title",
      kind: "text",
      x,
      y: y + 14,
      text: "Bytes of every kind at this step",
      size: 14,
      weight: 600,
    },
  ];
  kinds.forEach(({ id, name, moments }, i) => {
    const { bytes, usedBytes } = moments[index]!;
    const middle = top + (i + 0.5) * step;
    const isChosen = id === chosen;
    const bar = { kind: "rect", x: left, y: middle - 7, height: 14, radius: 2 } as const;
    marks.push(
      {
        key: `kinds:${id}:name`,
        kind: "text",
        x,
        y: middle + 4,
        text: name,
        weight: isChosen ? 700 : 400,
        fill: isChosen ? "text" : "quiet",
      },
      {
        ...bar,
        key: `kinds:${id}:used`,
        width: (usedBytes / maxBytes) * room,
        fill: isChosen ? "text" : "cost",
        fillOpacity: isChosen ? 0.85 : 0.55,
      },
      {
        ...bar,
        key: `kinds:${id}:allocated`,
        width: (bytes / maxBytes) * room,
        stroke: isChosen ? "text" : "cost",
        dash: true,
        ariaLabel: `${name}: ${countText(bytes)} B allocated, ${countText(usedBytes)} B hold tokens`,
        cell: `kinds:${i}:0`,
      },
      {
        key: `kinds:${id}:bytes`,
        kind: "text",
        x: x + width,
        y: middle + 4,
        text: bytesText(bytes),
        anchor: "end",
        weight: isChosen ? 700 : 400,
      },
    );
  });
  return [
    ...marks,
    ...wrapText(note, width).map((text, i): Mark => ({
      key: `kinds:note:${i}`,
      kind: "text",
      x,
      y: top + kinds.length * step + 14 + i * 16,
      text,
      fill: "quiet",
    })),
  ];
}
