/// <reference types="node" />
import { closeSync, copyFileSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { tensor, type Device, type Tensor } from "@qkv/tensor";

/** Batch size, key-value heads, and widths of the keys and values of one layer. */
export type RowSizes = {
  readonly batches: number;
  readonly heads: number;
  readonly keyDim: number;
  readonly valueDim: number;
};

/**
 * A file with the keys and values of one layer in float32. The order of the axes is token, sequence, then the keys and the
 * values of all heads, so new tokens are appended at the end.
 */
export type TokenFile = {
  readonly sizes: RowSizes;
  /** Writes keys and values `[B, heads, T, D]`: those of sequence b from token `starts[b]` on. */
  write(starts: readonly number[], key: Tensor, value: Tensor): void;
  /** Reads the first `length` tokens of all sequences: keys and values `[B, heads, length, D]`. */
  read(length: number, device: Device): { key: Tensor; value: Tensor };
  /** Creates another file with the same content. */
  copy(): TokenFile;
  /** Closes and deletes the file. */
  remove(): void;
};

let files = 0;

/** Creates a file in an existing folder: empty, or a copy of the file `from`. */
export function tokenFile(folder: string, sizes: RowSizes, from?: string): TokenFile {
  const path = join(folder, `qkv-${process.pid}-${(files += 1)}.kv`);
  if (from !== undefined) copyFileSync(from, path);
  const handle = openSync(path, from === undefined ? "wx+" : "r+");
  const { batches, heads, keyDim, valueDim } = sizes;
  const rowLength = heads * (keyDim + valueDim);

  return {
    sizes,
    write(starts, key, value) {
      const T = key.shape[2]!;
      const [keys, values] = [key.data, value.data];
      for (let b = 0; b < batches; b++) {
        for (let t = 0; t < T; t++) {
          const row = new Float32Array(rowLength);
          for (let h = 0; h < heads; h++) {
            const at = (b * heads + h) * T + t;
            row.set(keys.subarray(at * keyDim, (at + 1) * keyDim), h * keyDim);
            row.set(values.subarray(at * valueDim, (at + 1) * valueDim), heads * keyDim + h * valueDim);
          }
          const rowIndex = (starts[b]! + t) * batches + b;
          writeSync(handle, new Uint8Array(row.buffer), 0, row.byteLength, rowIndex * row.byteLength);
        }
      }
    },
    read(length, device) {
      const numbers = new Float32Array(length * batches * rowLength);
      const bytes = new Uint8Array(numbers.buffer);
      for (let at = 0; at < bytes.length;) {
        const count = readSync(handle, bytes, at, bytes.length - at, at);
        if (count === 0) break; // the rest of the array stays zero
        at += count;
      }
      const side = (offset: number, D: number) => {
        const data = new Float32Array(batches * heads * length * D);
        for (let b = 0; b < batches; b++)
          for (let h = 0; h < heads; h++)
            for (let t = 0; t < length; t++) {
              const from = (t * batches + b) * rowLength + offset + h * D;
              data.set(numbers.subarray(from, from + D), ((b * heads + h) * length + t) * D);
            }
        return tensor(data, { shape: [batches, heads, length, D], device });
      };
      return { key: side(0, keyDim), value: side(heads * keyDim, valueDim) };
    },
    copy: () => tokenFile(folder, sizes, path),
    remove() {
      closeSync(handle);
      unlinkSync(path);
    },
  };
}
