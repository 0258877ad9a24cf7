import type { TrainingExample } from "./training-example.js";

/** Part of an example in one row: `length` tokens from index `first`. */
export type Piece = { readonly example: TrainingExample; readonly first: number; readonly length: number };

/**
 * Packs examples into rows of `contextLength` tokens: each goes into the fullest row with enough room, or into a new one (best fit). Examples
 * longer than a row are cut; a piece without a target is dropped.
 *
 * @returns Rows of pieces, in the order of their first pieces.
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

/** Splits an example into pieces of at most `contextLength` tokens, without those that have no target. */
function* pieces(example: TrainingExample, contextLength: number): Generator<Piece> {
  const { length: exampleLength } = example.ids;
  for (let first = 0; first < exampleLength; first += contextLength) {
    const length = Math.min(contextLength, exampleLength - first);
    let hasTarget = false;
    for (let n = first; n < first + length && !hasTarget; n++) hasTarget = example.targets[n]! >= 0;
    if (hasTarget) yield { example, first, length };
  }
}
