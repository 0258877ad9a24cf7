import { px } from "./picture.js";

/**
 * The path that hatches a square: slanted lines that go on in the next square. A path rather than an SVG pattern,
 * because patterns have ids, and ids are shared by all pictures of a page.
 */
export function hatch(x: number, y: number, size: number): string {
  const step = Math.min(6, size); // so that the smallest square has a line too
  const lines: string[] = [];
  for (let sum = (Math.floor((x + y) / step) + 1) * step; sum < x + y + 2 * size; sum += step) {
    const from = Math.max(x, sum - y - size);
    const to = Math.min(x + size, sum - y);
    lines.push(`M${px(from)} ${px(sum - from)}L${px(to)} ${px(sum - to)}`);
  }
  return lines.join("");
}
