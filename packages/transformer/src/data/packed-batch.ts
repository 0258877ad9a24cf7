import { tensor, type Device } from "@qkv/tensor";
import type { Batch } from "../training/batch.js";
import type { Piece } from "./pack-rows.js";

/** A batch with several examples per row. */
export type PackedBatch = Batch & {
  /** Index of the example of each token within its row, `[B][T]`. Examples do not attend to each other. */
  readonly documents: readonly Int32Array[];
  /** The position of each token in its example, `[B · T]`. */
  readonly positions: Int32Array;
};

/** Creates the tensors of a batch from rows of pieces. Padding at the end of a row belongs to no example. */
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
    let t = 0;
    pieces.forEach(({ example, first, length }, document) => {
      for (let n = 0; n < length; n++, t++) {
        ids[b * T + t] = example.ids[first + n]!;
        targets[b * T + t] = example.targets[first + n]!;
        positions[b * T + t] = n;
        row[t] = document;
      }
    });
    return row;
  });
  const idTensor = (values: Int32Array) =>
    tensor(values, { shape: [B, T], dtype: "int32", ...(device && { device }) });
  return { ids: idTensor(ids), targets: idTensor(targets), documents, positions };
}
