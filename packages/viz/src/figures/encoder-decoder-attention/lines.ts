import type { Mark } from "../mark.js";

/** A straight arrow. */
export function arrow(
  key: string,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  stroke: "query" | "value" | "hatch",
): Mark {
  const length = Math.hypot(x1 - x0, y1 - y0);
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
  const size = Math.min(4, length);
  const wing = (side: number) =>
    `M${px(x1)} ${px(y1)}L${px(x1 - size * (ux + side * uy * 0.8))} ${px(y1 - size * (uy - side * ux * 0.8))}`;
  return {
    key: `arrow:${key}`,
    kind: "path",
    x: 0,
    y: 0,
    d: `M${px(x0)} ${px(y0)}L${px(x1)} ${px(y1)}${wing(1)}${wing(-1)}`,
    stroke,
    strokeWidth: 1.5,
  };
}

/** A curve that is vertical at both ends. */
export function curve(x0: number, y0: number, x1: number, y1: number): string {
  const middle = (y0 + y1) / 2;
  return `M${px(x0)} ${px(y0)}C${px(x0)} ${px(middle)} ${px(x1)} ${px(middle)} ${px(x1)} ${px(y1)}`;
}

const px = (value: number) => Number(value.toFixed(1));
