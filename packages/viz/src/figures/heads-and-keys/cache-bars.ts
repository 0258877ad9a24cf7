import type { Mark } from "../mark.js";
import { bytesText, countText } from "../bytes-text.js";
import type { HeadsAndKeysModel } from "./model.js";

const step = 26;

/** Height of the bars and their axis. Unit: pixels. */
export const barsHeight = (kinds: number): number => 28 + kinds * step + 26;

/** A bar for each kind on one linear scale: filled the current cache, dashed the cache at the longest length. */
export function cacheBars(
  { kinds, lengths }: HeadsAndKeysModel,
  tokens: number,
  place: { x: number; y: number; width: number },
): Mark[] {
  const { x, y, width } = place;
  const atEnd = kinds.map(({ bytes }) => bytes.at(-1)!);
  const maxBytes = Math.max(...atEnd);
  const [left, right] = [x + 44, x + width - 76];
  const top = y + 28;
  const scale = (bytes: number) => (bytes / maxBytes) * (right - left);
  const marks: Mark[] = [
    {
      key: "bars:title",
      kind: "text",
      x,
      y: y + 12,
      text: `Cache size now; dashed: at ${countText(lengths.at(-1)!)} tokens`,
      size: 13,
      weight: 600,
    },
  ];
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const at = left + scale(part * maxBytes);
    marks.push(
      {
        key: `bars:line:${part}`,
        kind: "path",
        x: at,
        y: top,
        d: `M0 0V${kinds.length * step}`,
        stroke: "rule",
      },
      {
        key: `bars:tick:${part}`,
        kind: "text",
        x: at,
        y: top + kinds.length * step + 14,
        text: part === 0 ? "0" : bytesText(part * maxBytes),
        anchor: "middle",
        size: 11,
        fill: "quiet",
      },
    );
  }
  kinds.forEach((kind, i) => {
    const middle = top + (i + 0.5) * step;
    const now = tokens * kind.bytesPerToken;
    marks.push(
      { key: `bars:name:${kind.id}`, kind: "text", x, y: middle + 4, text: kind.name, weight: 600 },
      {
        key: `bars:end:${kind.id}`,
        kind: "rect",
        x: left,
        y: middle - 8,
        width: scale(atEnd[i]!),
        height: 16,
        radius: 2,
        stroke: "cost",
        dash: true,
        ariaLabel: `${kind.name} at ${countText(lengths.at(-1)!)} tokens: ${bytesText(atEnd[i]!)}`,
      },
      {
        key: `bars:now:${kind.id}`,
        kind: "rect",
        x: left,
        y: middle - 8,
        width: Math.max(now > 0 ? 1.5 : 0, scale(now)),
        height: 16,
        radius: 2,
        fill: "text",
        fillOpacity: 0.8,
        ariaLabel: `${kind.name} now: ${bytesText(now)}`,
        cell: `bars:${i}:0`,
      },
      {
        key: `bars:bytes:${kind.id}`,
        kind: "text",
        x: x + width,
        y: middle + 4,
        text: bytesText(now),
        anchor: "end",
        weight: 600,
      },
    );
  });
  return marks;
}
