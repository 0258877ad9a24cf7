import { blockSize } from "./vector-cells.js";
import type { EncoderDecoderAttentionModel } from "./model.js";

export const chip = 26;
export const bar = 46;

/** Places of a translator: its rows from above, a column for each source letter and for each state. */
export type Grid = {
  phone: boolean;
  rows: ReturnType<typeof rowsOf>;
  sourceX(j: number): number;
  stateX(t: number): number;
  columnWidth: number;
  pitch: number;
  /** Size of a number's cell, and of a vector. */
  cell: number;
  block: { width: number; height: number };
  /** The largest number of an annotation. */
  scale: number;
};

/** Divides a width among the letters. */
export function gridOf(
  { source, decoded, annotations }: EncoderDecoderAttentionModel,
  { x, y, width, phone }: { x: number; y: number; width: number; phone: boolean },
): Grid {
  const left = x + (phone ? 0 : 104);
  const columnWidth = (x + width - left) / source.length;
  const pitch = (x + width - left) / (decoded.length + 1);
  const cell = Math.min(7, (Math.min(columnWidth, pitch) - 5) / 4);
  const block = blockSize(annotations[0]!.length, cell);
  return {
    phone,
    rows: rowsOf(y, block.height, phone),
    sourceX: (j) => left + (j + 0.5) * columnWidth,
    stateX: (t) => left + (t + 0.5) * pitch,
    columnWidth,
    pitch,
    cell,
    block,
    scale: Math.max(...annotations.flat().map(Math.abs)),
  };
}

/** Upper sides of the rows. */
function rowsOf(y: number, block: number, phone: boolean) {
  const above = phone ? 17 : 0; // room for the name of a row
  const output = y + above;
  const states = output + chip + 20 + above;
  const context = states + block + 24 + (phone ? 4 : 0);
  const weights = context + block + (phone ? 64 : 74);
  const scores = weights + bar + 8 + above;
  const annotations = scores + 20 + 14 + above;
  const source = annotations + block + 24 + above;
  return { output, states, context, weights, scores, annotations, source };
}
