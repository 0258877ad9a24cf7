import { labelWidth } from "../../picture.js";
import type { Mark } from "../mark.js";
import { countStored, type CacheKind } from "./model.js";
import { reusedStrength, stripeHeight } from "./token-glyph.js";

/** Legend of the colors and forms of tokens that occur in a kind of cache. */
export function legend(
  { moments, rounded }: CacheKind,
  { x, y, width }: { x: number; y: number; width: number },
): { marks: Mark[]; height: number } {
  const marks: Mark[] = [];
  let [left, top] = [x, y];
  const item = (key: string, text: string, sign: (x: number, y: number) => Mark[]) => {
    const needed = 24 + labelWidth([text]) + 16;
    if (left + needed > x + width && left > x) [left, top] = [x, top + 18];
    marks.push(...sign(left, top), {
      key: `legend:${key}:text`,
      kind: "text",
      x: left + 24,
      y: top + 11,
      text,
      fill: "quiet",
    });
    left += needed;
  };
  const bar =
    (key: string, fill: "key" | "value", height: number, strength = 1) =>
    (x: number, y: number) => [
      {
        key: `legend:${key}`,
        kind: "rect" as const,
        x,
        y: y + 4,
        width: 18,
        height,
        fill,
        fillOpacity: 0.85 * strength,
      },
    ];
  item("key", "key", bar("key", "key", stripeHeight.float32));
  item("value", "value", bar("value", "value", stripeHeight.float32));
  if (Object.keys(rounded).length > 0)
    item("int8", "int8: a quarter of the bytes", (x, y) => [
      ...bar("int8-key", "key", stripeHeight.int8)(x, y),
      ...bar("int8-value", "value", stripeHeight.int8)(x, y + 4),
    ]);
  if (moments.some((moment) => countStored(moment, "latent") > 0))
    item("latent", "latent: keys and values in one", (x, y) => [
      ...bar("latent-key", "key", stripeHeight.latent)(x, y),
      ...bar("latent-value", "value", stripeHeight.latent)(x, y + stripeHeight.latent),
    ]);
  if (moments.some((moment) => countStored(moment, "state") > 0))
    item("state", "read into the state", (x, y) => [
      ...bar("state-key", "key", stripeHeight.state, reusedStrength)(x, y),
      ...bar("state-value", "value", stripeHeight.state, reusedStrength)(x, y + 3),
    ]);
  if (moments.some(({ sequences }) => sequences.some((own) => (own?.reused ?? 0) > 0)))
    item("reused", "reused, not computed", bar("reused", "key", stripeHeight.float32, reusedStrength));
  if (moments.some((moment) => countStored(moment, "evicted") > 0))
    item("evicted", "forgotten", (x, y) => [
      { key: "legend:evicted", kind: "rect", x, y: y + 1, width: 18, height: 12, stroke: "rule", hatch: 0.9 },
    ]);
  if (moments.some(({ regions }) => regions.some(({ holders }) => holders.length > 1)))
    item("shared", "memory read by several", (x, y) => [
      {
        key: "legend:shared",
        kind: "rect",
        x: x + 1,
        y: y + 1,
        width: 16,
        height: 11,
        radius: 3,
        stroke: "text",
        strokeWidth: 2,
      },
    ]);
  return { marks, height: top - y + 18 };
}
