import type { TrainingExample } from "./training-example.js";

/** A piece of an example, in one row. */
export type Piece = { readonly example: TrainingExample; readonly first: number; readonly length: number };

/**
 * Packs examples into rows of `contextLength` tokens: each goes into the fullest row with enough room, or into a new one (best fit). Examples
 * longer than a row are cut; a piece without a target is dropped.
 *
 * @returns Rows of pieces, in the order in which they were begun.
 * @see "Efficient Sequence Packing without Cross-contamination" (2021), arXiv:2107.02027
 */
export function packRows(examples: Iterable<TrainingExample>, contextLength: number): Piece[][] {
  const rows: Piece[][] = [];
  // Rows by their remaining room. Unit: tokens.
  const byRoom: Piece[][][] = Array.from({ length: contextLength + 1 }, () => []);
  for (const example of examples) {
    for (const piece of pieces(example, contextLength)) {
      let room = piece.length;
      while (room < contextLength && byRoom[room]!.length === 0) room += 1;
      // The oldest row comes first.
      let row = byRoom[room]!.shift();
      if (!row) {
        room = contextLength;
        rows.push((row = []));
      }
      row.push(piece);
      byRoom[room - piece.length]!.push(row);
    }
  }
  return rows;
}

function* pieces(example: TrainingExample, contextLength: number): Generator<Piece> {
  const { length: all } = example.ids;
  for (let first = 0; first < all; first += contextLength) {
    const length = Math.min(contextLength, all - first);
    let learns = false;
    for (let n = first; n < first + length && !learns; n++) learns = example.targets[n]! >= 0;
    if (learns) yield { example, first, length };
  }
}
