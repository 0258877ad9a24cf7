import { bytesText, countText } from "../bytes-text.js";
import type { Mark } from "../mark.js";
import type { FlashAttentionModel, LongAttention } from "./model.js";

type Place = { x: number; y: number; width: number };
type Bar = { key: string; name: string; bytes: number; now: number; color: "cost" | "weight" };

/** Height of two bars with their title. Unit: pixels. */
export const barsHeight = 92;

/** Bars below a title on one linear scale: filled up to `now`, dashed up to `bytes`. */
function bars(key: string, title: string, list: readonly Bar[], { x, y, width }: Place): Mark[] {
  const maxBytes = Math.max(...list.map(({ bytes }) => bytes));
  return [
    { key: `${key}:title`, kind: "text", x, y: y + 12, text: title, size: 13, weight: 600 },
    ...list.flatMap(({ key: barKey, name, bytes, now, color }, i): Mark[] => {
      const top = y + 22 + i * 36;
      return [
        { key: `${key}:${barKey}:name`, kind: "text", x, y: top + 12, text: name, fill: "quiet" },
        {
          key: `${key}:${barKey}:bytes`,
          kind: "text",
          x: x + width,
          y: top + 12,
          text: bytesText(now),
          anchor: "end",
          weight: 600,
        },
        {
          key: `${key}:${barKey}:end`,
          kind: "rect",
          x,
          y: top + 17,
          width: (bytes / maxBytes) * width,
          height: 12,
          stroke: "cost",
          dash: true,
        },
        {
          key: `${key}:${barKey}:now`,
          kind: "rect",
          x,
          y: top + 17,
          width: Math.max(now > 0 ? 1.5 : 0, (now / maxBytes) * width),
          height: 12,
          fill: color,
          fillOpacity: 0.75,
          ariaLabel: `${name}: ${countText(now)} bytes`,
          cell: `${key}-${barKey}:0:0`,
        },
      ];
    }),
  ];
}

/** Bytes that plain and tiled attention have moved so far. `share`: the fraction of the call that is done, from 0 to 1. */
export function walkBars(model: FlashAttentionModel, tiled: number, share: number, place: Place): Mark[] {
  const total = model.tiles.at(-1)!.bytesMoved;
  return bars(
    "moved",
    "Bytes moved by this call so far",
    [
      {
        key: "plain",
        name: "plain: (4 N² + 4 N D) · 4 bytes",
        bytes: model.storedBytes,
        now: share * model.storedBytes,
        color: "cost",
      },
      { key: "tiled", name: "in tiles: K and V once per tile", bytes: total, now: tiled, color: "weight" },
    ],
    place,
  );
}

/** Height of the part about long sequences. Unit: pixels. */
export const longHeight = (width: number): number => (width < 640 ? 2 * barsHeight + 64 : barsHeight + 52);

/** Scores and bytes moved of a long sequence, and the limit of a WebGPU buffer. */
export function longBars(
  { long }: FlashAttentionModel,
  { length, scoreBytes, storedBytes, tiledBytes }: LongAttention,
  grown: number,
  { x, y, width }: Place,
): Mark[] {
  const phone = width < 636;
  const gap = 40;
  const column = phone ? width : (width - gap) / 2;
  const second = phone
    ? { x, y: y + barsHeight + 58, width }
    : { x: x + column + gap, y: y + 26, width: column };
  const limited = scoreBytes > long.limitBytes;
  const at = x + Math.min(1, long.limitBytes / scoreBytes) * column;
  const lse = long.numHeads * length * 4;
  const top = y + 26;
  const limit = bytesText(long.limitBytes);
  return [
    {
      key: "long:heading",
      kind: "text",
      x,
      y: y + 12,
      text: phone
        ? `${countText(length)} tokens, ${long.numHeads} heads of ${long.headDim}, float32`
        : `A long sequence: ${countText(length)} tokens, ${long.numHeads} heads of ${long.headDim} numbers, float32, no mask`,
      size: 13,
      fill: "quiet",
    },
    ...bars(
      "scores-held",
      "Stored besides Q, K, V and the output",
      [
        {
          key: "plain",
          name: phone ? `plain: N · N · H · 4 bytes` : `plain: scores, N · N · H · 4 bytes`,
          bytes: scoreBytes,
          now: grown * scoreBytes,
          color: "cost",
        },
        {
          key: "tiled",
          name: phone ? "tiles: lse, N · H · 4 bytes" : "in tiles: log of the sums, N · H · 4 bytes",
          bytes: lse,
          now: grown * lse,
          color: "weight",
        },
      ],
      { x, y: top, width: column },
    ),
    {
      key: "limit:line",
      kind: "path",
      x: at,
      y: top + 35,
      d: "M0 0V20",
      stroke: "text",
      strokeWidth: 2,
      opacity: limited ? 1 : 0,
      layer: 1,
      ariaLabel: `default limit of WebGPU's maxStorageBufferBindingSize: ${bytesText(long.limitBytes)}`,
    },
    {
      key: "limit:text",
      kind: "text",
      x: phone || at < x + column / 2 ? x : x + column,
      y: top + 107,
      anchor: phone || at < x + column / 2 ? "start" : "end",
      text: limited
        ? `line: WebGPU’s default${phone ? "" : " limit for one buffer"}, ${limit}; scores need ${countText(scoreBytes / long.limitBytes)} ×`
        : `fits in ${limit}, WebGPU’s default limit for one buffer`,
      size: 11,
    },
    ...bars(
      "long-moved",
      "Moved between slow and fast memory",
      [
        {
          key: "plain",
          name: "plain: (4 N² + 4 N D) · H · 4 bytes",
          bytes: storedBytes,
          now: grown * storedBytes,
          color: "cost",
        },
        {
          key: "tiled",
          name: `in tiles, ${bytesText(long.sramBytes)} of fast memory`,
          bytes: tiledBytes,
          now: grown * tiledBytes,
          color: "weight",
        },
      ],
      second,
    ),
  ];
}
