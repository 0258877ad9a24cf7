import { tensor, type Device } from "@qkv/tensor";
import type { Batch } from "../training/batch.js";
import type { Piece } from "./pack-rows.js";

/** A batch whose rows hold several examples each. */
export type PackedBatch = Batch & {
  /** The example of each token, counted within its row, `[B][T]`: attention does not look from one into another. */
  readonly documents: readonly Int32Array[];
  /** The place of each token in its example, `[B · T]`. */
  readonly positions: Int32Array;
};

/** Tensors of a batch from its rows of pieces. The end of a row that is not full belongs to no example. */
export function packedBatch(
  rows: readonly (readonly Piece[])[],
  contextLength: number,
  device: Device | undefined,
): PackedBatch {
  const [B, T] = [rows.length, contextLength];
  const [ids, targets, positions] = [
    new Int32Array(B * T),
    new Int32Array(B * T).fill(-100),
    new Int32Array(B * T),
  ];
  const documents = rows.map((pieces, b) => {
    const row = new Int32Array(T).fill(pieces.length);
    let at = 0;
    pieces.forEach(({ example, first, length }, document) => {
      for (let n = 0; n < length; n++, at++) {
        ids[b * T + at] = example.ids[first + n]!;
        targets[b * T + at] = example.targets[first + n]!;
        positions[b * T + at] = n;
        row[at] = document;
      }
    });
    return row;
  });
  const make = (values: Int32Array) =>
    tensor(values, { shape: [B, T], dtype: "int32", ...(device && { device }) });
  return { ids: make(ids), targets: make(targets), documents, positions };
}
