import type { View } from "./view.js";
import type { Chosen, TransformerBlockModel } from "./model.js";

/** Room of an expanded part. `width`: that of a vector, in pixels. */
export type OpenedRoom = { phone: boolean; width: number };

/** Height of the row of a head. Unit: pixels. */
export function headHeight({ numHeads }: TransformerBlockModel): number {
  return Math.max(24, Math.min(42, 340 / numHeads));
}

/** Width of the cell of a weight, and height of the token names above, which are vertical over narrow cells. Unit: pixels. */
export function weightCells(
  { tokens }: TransformerBlockModel,
  { phone, width }: OpenedRoom,
): { left: number; cell: number; names: number } {
  const left = phone ? 72 : 0; // beside the name of the head
  const cell = Math.min(phone ? 44 : 62, (width - left) / tokens.length);
  return { left, cell, names: cell < 26 ? 62 : 26 };
}

/** Size and columns of the cells of a hidden layer of `count` units. */
export function unitGrid(count: number, width: number): { size: number; columns: number; rows: number } {
  const size = Math.max(3, Math.min(9, Math.sqrt((width * 56) / count)));
  const columns = Math.min(count, Math.floor(width / size));
  return { size, columns, rows: Math.ceil(count / columns) };
}

export const profileHeight = 76;
export const tokenLine = 21;

/** Height of the content of an expanded part. Unit: pixels. */
export function openedHeight(
  model: TransformerBlockModel,
  { t, l }: Chosen,
  { open = "", head }: View,
  { phone, width }: OpenedRoom,
): number {
  if (open.startsWith("norm")) return 2 * profileHeight + 24;
  if (open.startsWith("mlp")) {
    const { hidden, gate } = model.blocks[l]!;
    const { size, rows } = unitGrid(hidden.shape[1]!, width);
    return (gate ? 3 : 2) * (rows * size + 26) + (phone ? 70 : 12);
  }
  if (head) return (t + 1) * tokenLine + (phone ? 118 : 104);
  const { names } = weightCells(model, { phone, width });
  return model.numHeads * (headHeight(model) + (phone ? 14 : 0)) + names + 20;
}
