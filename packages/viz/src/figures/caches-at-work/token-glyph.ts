import { labelWidth } from "../../picture.js";
import { tokenLabel } from "../attention-call/model.js";
import type { Mark } from "../mark.js";
import type { StoredAs } from "./model.js";

/**
 * Height of a stripe: 1.5 pixels for each byte of a number. The height of a latent is in proportion to its numbers compared
 * with those of a key and a value; a token of a state has no numbers of its own.
 */
export const stripeHeight = { float32: 6, int8: 1.5, latent: 3.75, state: 1, evicted: 0 };

/** Opacity of the stripes of a reused token. */
export const reusedStrength = 0.4;

/** Height of a word with its stripes. Unit: pixels. */
export const glyphHeight = 33;

type Glyph = {
  key: string;
  x: number;
  y: number;
  width: number;
  text: string;
  /** Undefined: it is not in the cache. */
  stored: StoredAs | undefined;
  /** Key of the mark that it grows out of. */
  home?: string | undefined;
  /** Opacity of its stripes. Default 1. */
  strength?: number;
  /** Font size of its word. */
  size?: number;
  isLit: boolean;
  ariaLabel: string;
  cell: string;
};

/** A token: its word above a stripe for its key and one for its value, as high as their bytes. An evicted one is hatched. */
export function tokenGlyph({
  key,
  x,
  y,
  width,
  text,
  stored,
  home,
  strength = 1,
  size = 12,
  ...rest
}: Glyph): Mark[] {
  const height = stored ? stripeHeight[stored] : 0;
  const isEvicted = stored === "evicted";
  const bottom = y + glyphHeight - 3;
  const bar = (name: "key" | "value", top: number): Mark => ({
    key: `${key}:${name}`,
    ...(home !== undefined && { home: `${home}:${name}` }),
    kind: "rect",
    x: x + 3,
    y: top,
    width: width - 6,
    height,
    fill: name,
    fillOpacity: 0.85 * strength * (stored === "state" ? reusedStrength : 1),
    layer: 1,
  });
  return [
    {
      key,
      ...(home !== undefined && { home }),
      kind: "rect",
      x: x + 1,
      y,
      width: width - 2,
      height: glyphHeight,
      radius: 3,
      fill: "paper",
      stroke: rest.isLit ? "text" : "rule",
      strokeWidth: rest.isLit ? 2 : 1,
      dash: stored === undefined,
      hatch: isEvicted ? 0.9 : 0,
      ariaLabel: rest.ariaLabel,
      cell: rest.cell,
    },
    ...(isEvicted
      ? [
          {
            key: `${key}:ground`,
            kind: "rect" as const,
            x: x + 4,
            y: y + 8,
            width: width - 8,
            height: 17,
            radius: 2,
            fill: "paper" as const,
          },
        ]
      : [bar("key", bottom - 2 * height - (stored === "latent" ? 0 : 1)), bar("value", bottom - height)]),
    {
      key: `${key}:word`,
      ...(home !== undefined && { home: `${home}:word` }),
      kind: "text",
      x: x + width / 2,
      y: isEvicted ? y + 21 : y + 13,
      text: tokenLabel(text),
      anchor: "middle",
      size: (labelWidth([tokenLabel(text)]) * size) / 12 > width - 4 ? 11 : size,
      fill: isEvicted ? "quiet" : "text",
      layer: 1,
    },
  ];
}
