import { tokenLabel } from "../attention-call/model.js";
import type { Mark } from "../mark.js";
import { wrapText } from "../wrap-text.js";
import { shareText } from "./share-text.js";
import { sequenceName, tokensText, type CacheKind, type CachesAtWorkModel } from "./model.js";

const [rowHeight, maxRows] = [20, 4];

/** Height of the list at the moment with the most evicted tokens. Unit: pixels. */
export function forgottenHeight({ moments }: CacheKind): number {
  const counts = moments.flatMap(({ sequences }) =>
    sequences.map((own) => own?.stored.filter((form) => form === "evicted").length ?? 0),
  );
  const longest = Math.max(...counts);
  return 62 + Math.min(longest, maxRows) * rowHeight + (longest > maxRows ? rowHeight : 0);
}

/** Evicted tokens with the attention that they would get if all tokens were cached, the largest first. */
export function forgottenTokens(
  { operations, attention, texts }: CachesAtWorkModel,
  kind: CacheKind,
  index: number,
  { x, y, width }: { x: number; y: number; width: number },
): Mark[] {
  const { sequence } = operations[index]!;
  const stored = kind.moments[index]!.sequences[sequence]?.stored ?? [];
  const weights = attention[index]!;
  const evicted = stored.flatMap((form, position) => (form === "evicted" ? [position] : []));
  const title: Mark = {
    key: "forgotten:title",
    kind: "text",
    x,
    y: y + 13,
    text: `Forgotten of ${sequenceName(sequence)}: ${evicted.length} of ${tokensText(stored.length)}`,
    size: 14,
    weight: 600,
  };
  if (weights.length === 0 || evicted.length === 0) return [title];
  const sum = evicted.reduce((all, position) => all + weights[position]!, 0);
  const last = tokenLabel(texts[sequence]![stored.length - 1]!);
  const descriptionLines = wrapText(
    `With all tokens cached, ${shareText(sum)} of the attention of “${last}” goes to them (mean of all heads).`,
    width,
  );
  const list = [...evicted].sort((a, b) => weights[b]! - weights[a]!).slice(0, maxRows);
  const scale = Math.max(...weights);
  const top = y + 26 + descriptionLines.length * 16;
  const room = width - 60 - 44;
  return [
    title,
    ...descriptionLines.map((text, i): Mark => ({
      key: `forgotten:description:${i}`,
      kind: "text",
      x,
      y: y + 32 + i * 16,
      text,
      fill: "quiet",
    })),
    ...list.flatMap((position, i): Mark[] => {
      const weight = weights[position]!;
      const middle = top + i * rowHeight + 14;
      const key = `forgotten:${position}`;
      return [
        { key: `${key}:word`, kind: "text", x, y: middle + 4, text: tokenLabel(texts[sequence]![position]!) },
        {
          key,
          kind: "rect",
          x: x + 60,
          y: middle - 6,
          width: Math.max(2, (weight / scale) * room),
          height: 12,
          stroke: "hatch",
          hatch: 0.9,
          ariaLabel: `attention to “${tokenLabel(texts[sequence]![position]!)}”, forgotten: ${(100 * weight).toFixed(1)}%`,
          cell: `forgotten:${i}:0`,
        },
        {
          key: `${key}:weight`,
          kind: "text",
          x: x + width,
          y: middle + 4,
          text: shareText(weight),
          anchor: "end",
          fill: "quiet",
        },
      ];
    }),
    ...(evicted.length > maxRows
      ? [
          {
            key: "forgotten:more",
            kind: "text" as const,
            x,
            y: top + maxRows * rowHeight + 16,
            text: `and ${evicted.length - maxRows} with less`,
            fill: "quiet" as const,
          },
        ]
      : []),
  ];
}
