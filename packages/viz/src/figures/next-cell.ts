import type { Mark, Scene } from "./mark.js";

/** Direction of an arrow key. */
export type Direction = "left" | "right" | "up" | "down";

/**
 * The cell that an arrow key goes to: the nearest one in the direction. Distance across the direction counts more.
 *
 * @param cell - Address of the focused cell. If the scene has no such cell, the result is its first cell.
 */
export function nextCell(
  { marks }: Scene,
  cell: string | undefined,
  direction: Direction,
): string | undefined {
  const cells = marks.filter((mark) => mark.cell !== undefined && (mark.opacity ?? 1) >= 0.05);
  const from = cells.find((mark) => mark.cell === cell);
  if (!from) return cells[0]?.cell;
  const [x, y] = middle(from);
  const horizontal = direction === "left" || direction === "right";
  const sign = direction === "left" || direction === "up" ? -1 : 1;
  let best: { cell: string; distance: number } | undefined;
  for (const mark of cells) {
    if (mark.cell === cell) continue;
    const [toX, toY] = middle(mark);
    const [along, aside] = horizontal
      ? [sign * (toX - x), Math.abs(toY - y)]
      : [sign * (toY - y), Math.abs(toX - x)];
    if (along < 1) continue;
    const distance = along + 4 * aside;
    if (!best || distance < best.distance) best = { cell: mark.cell!, distance };
  }
  return best?.cell ?? from.cell;
}

const middle = ({ kind, x, y, width = 0, height = 0 }: Mark) =>
  kind === "rect" ? ([x + width / 2, y + height / 2] as const) : ([x, y] as const);
