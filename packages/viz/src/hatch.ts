import { px } from "./picture.js";

/**
 * The path that hatches a square, or another rectangle, with diagonal lines that continue in adjacent ones. It is a path
 * because an SVG pattern needs an id, and ids are shared by all pictures of a page.
 */
export function hatch(x: number, y: number, width: number, height = width): string {
  const step = Math.min(6, Math.max(width, height)) || 1; // so that the smallest square has a line too
  const lines: string[] = [];
  for (let sum = (Math.floor((x + y) / step) + 1) * step; sum < x + y + width + height; sum += step) {
    const from = Math.max(x, sum - y - height);
    const to = Math.min(x + width, sum - y);
    lines.push(`M${px(from)} ${px(sum - from)}L${px(to)} ${px(sum - to)}`);
  }
  return lines.join("");
}
