import { labelWidth } from "../../picture.js";
import { tokenLabel } from "../attention-call/model.js";
import { sequenceName, type CacheRegion, type CachesAtWorkModel } from "./model.js";
import { glyphHeight } from "./token-glyph.js";

export const isPhone = (width: number): boolean => width < 640;

/** Column of a position: the tokens of all sequences at this position are drawn in it. */
type TextPlace = { x: number; line: number; width: number };

/** Columns of all positions, in lines of a width. */
export function textPlaces({ texts }: CachesAtWorkModel, left: number, width: number): TextPlace[] {
  const longest = Math.max(...texts.map(({ length }) => length));
  const places: TextPlace[] = [];
  let [x, line] = [left, 0];
  for (let position = 0; position < longest; position++) {
    const textWidth = labelWidth(texts.flatMap((list) => list.slice(position, position + 1)).map(tokenLabel));
    const needed = Math.max(28, textWidth + 12);
    if (x + needed > width && x > left) [x, line] = [left, line + 1];
    places.push({ x, line, width: needed });
    x += needed + 2;
  }
  return places;
}

/** Space above a row of text. */
const rowGap = 7;

/** Upper edge of the row of each sequence, and the height of all rows. */
export function textRows(
  { texts }: CachesAtWorkModel,
  places: readonly TextPlace[],
): { tops: number[]; height: number } {
  let height = 0;
  const tops = texts.map(({ length }) => {
    const top = height;
    if (length > 0) height += (places[length - 1]!.line + 1) * (glyphHeight + 2) + rowGap;
    return top;
  });
  return { tops, height };
}

const headingHeight = 19;
const regionGap = { x: 8, y: 11 };
/** On a phone, eight slots and two edges fill a line. */
const slotIn = (width: number) => Math.min(48, Math.floor((width - regionGap.x - 12) / 8));

/** Place of a region, whose slots are in lines of `perLine`. Unit: pixels. */
export type RegionPlace = {
  x: number;
  y: number;
  width: number;
  height: number;
  perLine: number;
  slotWidth: number;
};

/** Places regions side by side in a width, in their order. */
export function regionPlaces(
  regions: readonly CacheRegion[],
  width: number,
): { places: RegionPlace[]; height: number } {
  const slotWidth = slotIn(width);
  const maxPerLine = Math.floor((width - 6) / slotWidth);
  let [x, y, rowHeight] = [0, 0, 0];
  const places = regions.map(({ slots, span = 1 }) => {
    const fittedWidth = Math.min(maxPerLine, span) * slotWidth;
    const lines = Math.max(1, Math.ceil((slots.length * fittedWidth) / (maxPerLine * slotWidth)));
    const perLine = Math.max(1, Math.ceil(slots.length / lines));
    const regionWidth = perLine * fittedWidth + 6;
    const height = headingHeight + lines * (glyphHeight + 4) + 3;
    if (x > 0 && x + regionWidth > width) [x, y, rowHeight] = [0, y + rowHeight + regionGap.y, 0];
    const place = { x, y, width: regionWidth, height, perLine, slotWidth: fittedWidth };
    x += regionWidth + regionGap.x;
    rowHeight = Math.max(rowHeight, height);
    return place;
  });
  return { places, height: y + rowHeight };
}

/** Upper left corner of a slot. */
export const slotPlace = (
  { x, y, perLine, slotWidth }: RegionPlace,
  slot: number,
): { x: number; y: number } => ({
  x: x + 3 + (slot % perLine) * slotWidth,
  y: y + headingHeight + 3 + Math.floor(slot / perLine) * (glyphHeight + 4),
});

/** Address of a token of the text. */
export const textCell = (sequence: number, position: number): string => `text:${sequence}:${position}`;

/** Address of a slot. */
export const slotCell = (id: string, slot: number): string => `slot:${id.replace(":", ".")}:${slot}`;

/** "“cat” of A". */
export const tokenName = ({ texts }: CachesAtWorkModel, sequence: number, position: number): string =>
  `“${tokenLabel(texts[sequence]![position]!)}” of ${sequenceName(sequence)}`;
