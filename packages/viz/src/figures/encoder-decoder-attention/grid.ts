import { blockSize } from "./vector-cells.js";
import type { EncoderDecoderAttentionModel } from "./model.js";

/** Height of the box of a letter. Unit: pixels. */
export const letterBoxHeight = 26;
/** Height of the bar of a weight of 1. Unit: pixels. */
export const maxBarHeight = 46;

/** Positions in the picture of a translator: rows, columns of source letters, and columns of states. Unit: pixels. */
export type Grid = {
  phone: boolean;
  rows: ReturnType<typeof rowTops>;
  sourceX(j: number): number;
  stateX(t: number): number;
  columnWidth: number;
  pitch: number;
  /** Side of the cell of a number. */
  cell: number;
  block: { width: number; height: number };
  /** The largest magnitude in the annotations, which has the deepest color. */
  scale: number;
};

/** The grid of a translator in a width. */
export function translatorGrid(
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
    rows: rowTops(y, block.height, phone),
    sourceX: (j) => left + (j + 0.5) * columnWidth,
    stateX: (t) => left + (t + 0.5) * pitch,
    columnWidth,
    pitch,
    cell,
    block,
    scale: Math.max(...annotations.flat().map(Math.abs)),
  };
}

/** Upper edge of each row, from top to bottom. */
function rowTops(y: number, block: number, phone: boolean) {
  const above = phone ? 17 : 0; // room for the name of a row
  const output = y + above;
  const states = output + letterBoxHeight + 20 + above;
  const context = states + block + 24 + (phone ? 4 : 0);
  const weights = context + block + (phone ? 64 : 74);
  const scores = weights + maxBarHeight + 8 + above;
  const annotations = scores + 20 + 14 + above;
  const source = annotations + block + 24 + above;
  return { output, states, context, weights, scores, annotations, source };
}
