import { labelWidth } from "../../picture.js";
import { wrapText } from "../wrap-text.js";
import type { Mark } from "../mark.js";
import { bytesText, countText, timeText } from "../bytes-text.js";
import type { CacheGrowth } from "./cache-growth.js";
import type { HeadsAndKeysModel, HeadsKind, HeadsTime } from "./model.js";

/** Number of KV heads in words. */
export const headsText = (count: number): string => `${count} KV ${count === 1 ? "head" : "heads"}`;

/** Number of layers in words. */
export const layersText = (count: number): string => `${count} ${count === 1 ? "layer" : "layers"}`;

/** True for multi-head latent attention: one latent of each token for the keys and values of all heads. */
export const isLatent = ({ parts }: HeadsKind): boolean => parts.some(({ name }) => name === "latent");

function sharingText(kind: HeadsKind, numHeads: number): string {
  const { numKvHeads, parts } = kind;
  if (isLatent(kind)) return `${parts.map(({ name, size }) => `${name} ${size}`).join(" + ")} for all heads`;
  if (numKvHeads === numHeads) return `${headsText(numKvHeads)}, one for each query head`;
  return numKvHeads === 1
    ? `1 KV head for all ${numHeads} query heads`
    : `${headsText(numKvHeads)}, each for ${numHeads / numKvHeads} query heads`;
}

type Place = { x: number; y: number; width: number; phone: boolean };

/** Name of a kind above its panel, and the way its heads share. On a phone with its bytes. */
export function kindHeading(
  kind: HeadsKind,
  numHeads: number,
  { tokens }: CacheGrowth,
  { x, y, width, phone }: Place,
): Mark[] {
  const { id, name, title, bytesPerToken, usedBy = "" } = kind;
  const sharing = sharingText(kind, numHeads);
  const titleX = x + 15 * name.length + 6;
  const marks: Mark[] = [
    { key: `${id}:name`, kind: "text", x, y: y + 14, text: name, size: 17, weight: 700 },
    { key: `${id}:title`, kind: "text", x: titleX, y: y + 14, text: title, size: 13, fill: "quiet" },
    { key: `${id}:sharing`, kind: "text", x, y: y + 33, text: sharing, fill: "quiet" },
  ];
  const right = { kind: "text", x: x + width, y: y + 14, anchor: "end" } as const;
  if (phone) {
    marks.push({
      ...right,
      key: `${id}:bytes`,
      text: bytesText(tokens * bytesPerToken),
      size: 17,
      weight: 700,
    });
  } else if (usedBy && titleX + labelWidth([`${title} as in ${usedBy}`]) + 16 < x + width) {
    marks.push({ ...right, key: `${id}:used`, text: `as in ${usedBy}`, size: 11, fill: "quiet" });
  }
  return marks;
}

/** Bytes of a kind under its panel, and their formula. */
export function kindNumbers(
  { kinds, numLayers, bytesPerNumber, time }: HeadsAndKeysModel,
  index: number,
  { tokens }: CacheGrowth,
  { x, y, width, phone }: Place,
): { marks: Mark[]; height: number } {
  const { id, bytesPerToken, numKvHeads, parts } = kinds[index]!;
  const numbers = isLatent(kinds[index]!)
    ? `(${parts.map(({ size }) => size).join(" + ")})`
    : `2 × ${numKvHeads} × ${parts[0]!.size}`;
  const total = tokens * bytesPerToken;
  const lines = [
    ...wrapText(`${numbers} × ${bytesPerNumber} B × ${layersText(numLayers)}`, width),
    `= ${countText(bytesPerToken)} B per token`,
    `× ${countText(tokens)} ${tokens === 1 ? "token" : "tokens"} = ${countText(total)} B`,
  ];
  const top = phone ? y + 10 : y + 38;
  const marks = lines.map((text, i): Mark => ({
    key: `${id}:line:${i}`,
    kind: "text",
    x,
    y: top + 16 * i,
    text,
    fill: "quiet",
  }));
  const last = top + 16 * lines.length + 2;
  marks.push({ key: `${id}:time`, kind: "text", x, y: last, text: kindTime(time, index, total) });
  if (!phone) {
    const text = bytesText(total);
    marks.push({ key: `${id}:bytes`, kind: "text", x, y: y + 18, text, size: 22, weight: 700 });
  }
  return { marks, height: last + 4 - y };
}

/** Time of a kind at a cache size, and its source. */
export function kindTime(time: HeadsTime, index: number, bytes: number): string {
  if (time.kind === "estimate")
    return `≈ ${timeText(bytes / time.bytesPerSecond)} to read at ${countText(time.bytesPerSecond / 1e9)} GB/s`;
  return `${measuredText(time, index)} per token and layer, measured`;
}

/** A measured time, rounded to the resolution of the clock. */
export function measuredText(
  { timeMs, resolutionMs }: HeadsTime & { kind: "measured" },
  index: number,
): string {
  const ms = timeMs[index]!;
  return ms < resolutionMs
    ? `< ${timeText(resolutionMs / 1000)}`
    : timeText((Math.round(ms / resolutionMs) * resolutionMs) / 1000);
}
