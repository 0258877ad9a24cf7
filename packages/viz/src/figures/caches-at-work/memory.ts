import { countText } from "../bytes-text.js";
import type { Mark } from "../mark.js";
import { regionPlaces, slotCell, slotPlace, textCell, tokenName, type RegionPlace } from "./layout.js";
import {
  namesText,
  sequenceName,
  type CacheKind,
  type CacheMoment,
  type CacheRegion,
  type CachesAtWorkModel,
} from "./model.js";
import { glyphHeight, tokenGlyph } from "./token-glyph.js";

/** The memory of a cache: buffers or blocks with their slots, and the sequences that read each. */
export function memory(
  model: CachesAtWorkModel,
  kind: CacheKind,
  { regions }: CacheMoment,
  lit: ReadonlySet<string>,
  at: { x: number; y: number; width: number },
): Mark[] {
  const { places } = regionPlaces(regions, at.width);
  const placeById = new Map(
    regions.map(({ id }, i) => [id, { ...places[i]!, x: places[i]!.x + at.x, y: places[i]!.y + at.y }]),
  );
  return [
    ...regions.flatMap((region) => regionMarks(model, kind, region, placeById.get(region.id)!, lit)),
    ...copyArrows(regions, placeById),
  ];
}

function regionMarks(
  model: CachesAtWorkModel,
  { names }: CacheKind,
  region: CacheRegion,
  place: RegionPlace,
  lit: ReadonlySet<string>,
): Mark[] {
  const { id, form, block, holders, slots, bytes } = region;
  const isFree = !slots.some(Boolean);
  const isShared = holders.length > 1;
  const isState = region.stored === "state";
  const ofBuffer = isState ? names.buffer : `${names.buffer}, ${slots.length} slots`;
  const name = form === "block" ? `${names.block} ${block}` : ofBuffer;
  const label = form === "block" && place.width < 92 ? `${block}` : name;
  const readersText = isFree ? "free" : `read by ${namesText(holders)}`;
  const marks: Mark[] = [
    {
      key: `region:${id}`,
      kind: "rect",
      x: place.x,
      y: place.y + 17,
      width: place.width,
      height: place.height - 17,
      radius: 5,
      stroke: isShared ? "text" : "hatch",
      strokeWidth: isShared ? 2 : 1,
      opacity: isFree ? 0.6 : 1,
      ariaLabel: `${name}: ${readersText}, ${slots.filter(Boolean).length} of ${slots.length} slots used, ${countText(bytes)} B`,
    },
    {
      key: `region:${id}:name`,
      kind: "text",
      x: place.x + 1,
      y: place.y + 12,
      text: label,
      size: 11,
      fill: "quiet",
    },
    ...holders.map((sequence, i): Mark => ({
      key: `region:${id}:holder:${sequence}`,
      kind: "circle",
      x: place.x + place.width - 8 - 16 * (holders.length - 1 - i),
      y: place.y + 8,
      radius: 7.5,
      fill: "text",
      text: sequenceName(sequence),
      textFill: "paper",
      size: 11,
      weight: 700,
    })),
  ];
  slots.forEach((token, slot) => {
    const { x, y } = slotPlace(place, slot);
    const cell = slotCell(id, slot);
    if (!token) {
      marks.push({
        key: `${cell}:free`,
        kind: "rect",
        x: x + 1,
        y,
        width: place.slotWidth - 2,
        height: glyphHeight,
        radius: 3,
        stroke: "hatch",
        dash: true,
        opacity: isFree ? 0.6 : 1,
        ariaLabel: `slot ${slot} of ${name}: free`,
        cell,
      });
      return;
    }
    const { sequence, position, from } = token;
    marks.push(
      ...tokenGlyph({
        key: `${cell}:${sequence}:${position}`,
        home:
          from === undefined ? textCell(sequence, position) : `${originCell(from)}:${sequence}:${position}`,
        x,
        y,
        width: place.slotWidth,
        text: isState ? "S" : model.texts[sequence]![position]!,
        stored: isState ? "float32" : region.stored,
        isLit: lit.has(cell),
        ariaLabel: isState
          ? `state after ${tokenName(model, sequence, position)}, ${readersText}`
          : `slot ${slot} of ${name}: ${region.stored === "latent" ? "latent and rotary key" : "key and value"} of ${tokenName(model, sequence, position)}, ${region.stored === "int8" ? "int8" : "float32"}, ${readersText}`,
        cell,
      }),
    );
  });
  return marks;
}

const parseSlotAddress = (address: string): { id: string; slot: number } => {
  const at = address.lastIndexOf(":");
  return { id: address.slice(0, at), slot: Number(address.slice(at + 1)) };
};

const originCell = (from: string): string => {
  const { id, slot } = parseSlotAddress(from);
  return slotCell(id, slot);
};

/** Arrows between regions, from the one that tokens were copied from to the one they were copied to. */
function copyArrows(regions: readonly CacheRegion[], placeById: ReadonlyMap<string, RegionPlace>): Mark[] {
  const storedIn = new Map(regions.map(({ id, stored }) => [id, stored]));
  return regions.flatMap(({ id, slots, stored }) => {
    const sourceIds = slots.flatMap((token) => (token?.from ? [parseSlotAddress(token.from).id] : []));
    // Quantizing moves entries too, but copies none.
    const sources = new Set(sourceIds.filter((source) => storedIn.get(source) === stored));
    return [...sources].flatMap((source): Mark[] => {
      const [from, to] = [placeById.get(source), placeById.get(id)!];
      if (source === id || !from) return [];
      const start = { x: from.x + from.width / 2, y: from.y + from.height };
      const isBeside = from.y === to.y;
      const end = isBeside
        ? { x: to.x + to.width / 2, y: to.y + to.height }
        : { x: to.x + to.width / 2, y: to.y + 17 };
      const [dx, dy] = [end.x - start.x, end.y - start.y];
      const bend = isBeside ? 16 : dy / 2;
      const tip = isBeside ? 5 : -5;
      const d = isBeside
        ? `M0 0C0 ${bend} ${dx} ${bend} ${dx} ${dy}`
        : `M0 0C0 ${bend} ${dx} ${dy - bend} ${dx} ${dy}`;
      return [
        {
          key: `copy:${source}:${id}`,
          kind: "path",
          x: start.x,
          y: start.y,
          d: `${d}M${dx - 4} ${dy + tip}L${dx} ${dy}L${dx + 4} ${dy + tip}`,
          stroke: "text",
          strokeWidth: 1.5,
          layer: 2,
        },
      ];
    });
  });
}
