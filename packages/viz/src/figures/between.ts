import { easeCubicInOut } from "d3-ease";
import { interpolateNumber, interpolateString } from "d3-interpolate";
import type { Mark, Scene } from "./mark.js";

// Numeric fields that are interpolated, with their defaults.
const moving = {
  x: 0,
  y: 0,
  width: 0,
  height: 0,
  radius: 0,
  size: 12,
  strokeWidth: 1,
  fillOpacity: 1,
  opacity: 1,
  hatch: 0,
} as const;
type Moving = keyof typeof moving;

/**
 * The scene between two others. A mark of both moves. A mark that enters grows out of its `home`, and a mark that
 * exits shrinks into it; without a `home` it fades in place. Letters and colors change halfway.
 *
 * @param from - The scene at 0.
 * @param to - The scene at 1.
 * @param t - Progress, from 0 to 1.
 * @param ease - Changes `t` first. Default: slow at both ends.
 * @returns Marks that exit, then those of `to` in their order. At 0 it is `from` itself, at 1 `to`.
 *
 * @example
 * ```ts
 * import { between, type Scene } from "@qkv/viz/figures";
 *
 * const at = (x: number): Scene => ({
 *   width: 320, height: 40, description: "A dot.",
 *   marks: [{ key: "dot", kind: "circle", x, y: 20, radius: 5 }],
 * });
 * between(at(0), at(100), 0.5).marks[0]?.x; // => 50
 * ```
 */
export function between(
  from: Scene,
  to: Scene,
  t: number,
  ease: (t: number) => number = easeCubicInOut,
): Scene {
  if (t <= 0) return from;
  if (t >= 1) return to;
  const eased = ease(t);
  const [before, after] = [byKey(from), byKey(to)];
  const exiting = from.marks
    .filter(({ key }) => !after.has(key))
    .map((mark) =>
      step(mark, invisible(mark, mark.home === undefined ? undefined : after.get(mark.home)), eased),
    );
  const remaining = to.marks.map((mark) => {
    const origin =
      before.get(mark.key) ?? invisible(mark, mark.home === undefined ? undefined : before.get(mark.home));
    return step(origin, mark, eased);
  });
  return {
    width: interpolateNumber(from.width, to.width)(eased),
    height: interpolateNumber(from.height, to.height)(eased),
    marks: [...exiting, ...remaining],
    description: to.description,
  };
}

const byKey = ({ marks }: Scene) => new Map(marks.map((mark) => [mark.key, mark]));

/** A mark made invisible: inside its home, or in place. */
function invisible(mark: Mark, home: Mark | undefined): Mark {
  if (!home) return { ...mark, opacity: 0 };
  const place: Mark = { ...mark, x: home.x, y: home.y, opacity: 0 };
  if (mark.kind === "rect" && home.kind === "rect") {
    place.width = home.width;
    place.height = home.height;
  } else if (mark.kind === "text" && home.kind === "rect") {
    place.x = home.x + (home.width ?? 0) / 2;
    place.y = home.y + (home.height ?? 0) / 2;
  }
  return place;
}

function step(from: Mark, to: Mark, t: number): Mark {
  const mark: Mark = { ...(t < 0.5 ? from : to), key: to.key };
  for (const name of Object.keys(moving) as Moving[]) {
    const [a, b] = [from[name], to[name]];
    if (a === undefined && b === undefined) continue;
    mark[name] = interpolateNumber(a ?? moving[name], b ?? moving[name])(t);
  }
  if (from.d !== undefined && to.d !== undefined && from.d !== to.d) {
    mark.d = interpolateString(from.d, to.d)(t);
  }
  return mark;
}
