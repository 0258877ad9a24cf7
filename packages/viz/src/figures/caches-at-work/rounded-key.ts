import { tokenLabel } from "../attention-call/model.js";
import { fixed } from "../fixed.js";
import type { Mark } from "../mark.js";
import { sequenceName, type CacheKind, type CachesAtWorkModel } from "./model.js";

const row = 18;

/** Height of the panel. Unit: pixels. */
export const roundedKeyHeight = ({ rounded }: CacheKind): number =>
  78 + (Object.values(rounded)[0]?.exact.length ?? 0) * row;

/** A quantized key: its numbers, their codes and scales, and the errors, from −½ to ½ of the scale. */
export function roundedKey(
  { operations, texts }: CachesAtWorkModel,
  kind: CacheKind,
  index: number,
  focused: { sequence: number; position: number } | undefined,
  { x, y, width }: { x: number; y: number; width: number },
): Mark[] {
  const { sequences } = kind.moments[index]!;
  const { sequence: active } = operations[index]!;
  const lastRounded = (sequence: number) => ({
    sequence,
    position: sequences[sequence]?.stored.lastIndexOf("int8") ?? -1,
  });
  const token = [...(focused ? [focused] : []), ...[active, 0, 1, 2].map(lastRounded)].find(
    ({ sequence, position }) => sequences[sequence]?.stored[position] === "int8",
  );
  const text = (
    key: string,
    left: number,
    baseline: number,
    words: string,
    more: Partial<Mark> = {},
  ): Mark => ({
    key: `rounded:${key}`,
    kind: "text",
    x: left,
    y: baseline,
    text: words,
    ...more,
  });
  if (!token) return [text("none", x, y + 13, "Nothing is rounded yet", { size: 14, weight: 600 })];
  const { exact, codes, scales } = kind.rounded[`${token.sequence}:${token.position}`]!;
  const word = tokenLabel(texts[token.sequence]![token.position]!);
  const gauge = { x: x + 196, width: width - 200 };
  const middle = gauge.x + gauge.width / 2;
  const bottom = y + 66 + exact.length * row;
  const mono = { font: "mono", size: 11, anchor: "end" } as const;
  const quiet = { fill: "quiet", size: 11 } as const;
  return [
    text("title", x, y + 13, `Rounded: the key of “${word}” of ${sequenceName(token.sequence)}`, {
      size: 14,
      weight: 600,
    }),
    text("where", x, y + 31, `Layer 1, KV head 1, first ${exact.length} numbers. Point at any token.`, quiet),
    text("exact", x + 52, y + 52, "float32", { ...quiet, anchor: "end" }),
    text("code", x + 92, y + 52, "int8", { ...quiet, anchor: "end" }),
    text("scale", x + 168, y + 52, "× scale", { ...quiet, anchor: "end" }),
    text("error", middle, y + 52, "error, ± ½ scale", { ...quiet, anchor: "middle" }),
    {
      key: "rounded:zero",
      kind: "path",
      x: middle,
      y: y + 58,
      d: `M0 0V${exact.length * row}`,
      stroke: "rule",
    },
    ...exact.flatMap((value, d): Mark[] => {
      const baseline = y + 70 + d * row;
      const [code, scale] = [codes[d]!, scales[d]!];
      const error = code * scale - value;
      const part = scale === 0 ? 0 : error / scale;
      return [
        text(`exact:${d}`, x + 52, baseline, fixed(value, 4), mono),
        text(`code:${d}`, x + 92, baseline, `${code}`.replace("-", "−"), mono),
        text(`scale:${d}`, x + 168, baseline, `× ${scale.toFixed(5)}`, mono),
        {
          key: `rounded:band:${d}`,
          kind: "rect",
          x: gauge.x,
          y: baseline - 10,
          width: gauge.width,
          height: 12,
          radius: 2,
          fill: "key",
          fillOpacity: 0.14,
        },
        {
          key: `rounded:error:${d}`,
          kind: "rect",
          x: middle + Math.min(0, part) * gauge.width,
          y: baseline - 8,
          width: Math.max(1.5, Math.abs(part) * gauge.width),
          height: 8,
          fill: "key",
          ariaLabel: `number ${d + 1} of the key of “${word}”: ${fixed(value, 5)} becomes ${code} × ${scale.toFixed(5)}, error ${fixed(error, 5)}, ${fixed(Math.abs(part))} of the scale`,
          cell: `rounded:${d}:0`,
        },
      ];
    }),
    text(
      "largest",
      x,
      bottom + 8,
      `Largest error of all keys of layer 1: ${fixed(kind.largestError, 3)} × scale.`,
      quiet,
    ),
  ];
}
