import { checks } from "@qkv/core";
import { checkTexts } from "./check-data.js";
import { numberText } from "./number-text.js";
import { fill, stroke } from "./palette.js";
import { heading, picture, px, titleWidth } from "./picture.js";
import { joinSvg, svg } from "./svg.js";

/** Options of {@link ropeClock}. */
export type RopeClockOptions = {
  /** Base of the rotary frequencies (`rope_theta`). Default 10000. */
  base?: number;
  /** Maximum number of dials, from the fastest to the slowest, evenly chosen. Default 8. */
  maxDials?: number;
  /** The name of the picture, drawn above it. */
  title?: string;
};

const [dial, gap] = [64, 14]; // pixels

/**
 * Draws rotary positions as clocks: a pair of dimensions of a head is a hand that rotates by `base^(-2i / headDim)`
 * radians a position. The query's hand is blue, the key's vermillion; the dot product depends on the angle between the
 * two.
 *
 * @param positions - Positions of `query` and `key`. Unit: positions.
 * @param headDim - D, the size of the head, even.
 * @returns SVG text.
 * @throws {ArgumentError} If `headDim` is not even, or a position is not a finite number.
 * @see "RoFormer" (2021), arXiv:2104.09864
 *
 * @example
 * ```ts
 * import { ropeClock } from "@qkv/viz";
 *
 * const svg = ropeClock({ query: 5, key: 2 }, 4);
 * svg.includes("pair 0 turns 1 radian a position, by 3 between query and key"); // => true
 * ```
 */
export function ropeClock(
  positions: { query: number; key: number },
  headDim: number,
  options: RopeClockOptions = {},
): string {
  const check = checks("ropeClock");
  const { base = 10000, maxDials = 8, title } = check.options(options, ["base", "maxDials", "title"]);
  const even = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 2 && (n as number) % 2 === 0;
  check.each({ headDim }, even, "an even number, 2 or more", "rotary positions rotate pairs of numbers.");
  const fix = "give { query: 5, key: 2 }.";
  check.each(
    { "positions.query": positions?.query, "positions.key": positions?.key },
    Number.isFinite,
    "a position",
    fix,
  );
  check.finite({ base }, { above: 0 });
  check.whole({ maxDials }, { min: 1, max: 1000, unit: "dials" });
  checkTexts(check, { title });
  const pairs = headDim / 2;
  const count = Math.min(pairs, maxDials);
  const chosen = Array.from({ length: count }, (_, i) =>
    count === 1 ? 0 : Math.round((i * (pairs - 1)) / (count - 1)),
  );
  const top = title ? 40 : 14;
  const dials = chosen.map((pair, i) => {
    const frequency = base ** ((-2 * pair) / headDim);
    const between = frequency * (positions.query - positions.key);
    const [x, y] = [12 + dial / 2 + i * (dial + gap), top + dial / 2];
    const hand = (position: number, kind: "query" | "key", length: number) => {
      const angle = frequency * position;
      const [dx, dy] = [Math.cos(angle) * length, -Math.sin(angle) * length];
      return svg`<line x1="${px(x)}" y1="${px(y)}" x2="${px(x + dx)}" y2="${px(y + dy)}" stroke-width="3" ${stroke(kind)}/>`;
    };
    const unit = numberText(frequency) === "1" ? "radian" : "radians";
    const tooltip = `pair ${pair} turns ${numberText(frequency)} ${unit} a position, by ${numberText(between)} between query and key`;
    return joinSvg([
      svg`<circle cx="${px(x)}" cy="${px(y)}" r="${dial / 2}" ${fill("weight")} fill-opacity="0.06"><title>${tooltip}</title></circle>`,
      hand(positions.key, "key", dial / 2 - 4),
      hand(positions.query, "query", dial / 2 - 12),
      svg`<text x="${px(x)}" y="${px(y + dial / 2 + 16)}" text-anchor="middle" ${fill("quiet")}>pair ${pair}</text>`,
      svg`<text x="${px(x)}" y="${px(y + dial / 2 + 32)}" text-anchor="middle" ${fill("text")}>cos ${Math.cos(between).toFixed(2)}</text>`,
    ]);
  });
  return picture({
    width: Math.max(24 + count * (dial + gap) - gap, titleWidth(title)),
    height: top + dial + 44,
    title: title ?? "Rotary positions as clocks",
    description: `Query at ${numberText(positions.query)}, key at ${numberText(positions.key)}: ${count} of ${pairs} pairs, each a hand that turns slower than the one before.`,
    body: [...heading(title), ...dials],
  });
}
