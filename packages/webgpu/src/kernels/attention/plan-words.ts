import type { TilePlan } from "@qkv/attention-contract";
import type { GpuBuffer } from "../../buffers.js";
import type { ForwardContext } from "../../context.js";
import { Words } from "./words.js";

/** Queries, and keys, of a plan's tile, as the kernels expect. */
export const planTile = 64;

/** A plan on the GPU, and the number of tiles that kernels read. */
export type UploadedPlan = {
  readonly buffer: GpuBuffer;
  /** Offset of the column bounds (first, end) that each row of tiles sees, by batch, head and row. */
  readonly rowBoundsAt: number;
  /** Offset of the row bounds (first, end) that see each column of tiles, by batch, head and column. */
  readonly columnBoundsAt: number;
  /** Number of tiles that are read in each row, and in each column, by batch and head. */
  readonly rowTiles: Uint32Array;
  readonly columnTiles: Uint32Array;
};

type Uploaded = { readonly engine: ForwardContext["engine"]; readonly uploadedPlan: UploadedPlan };

/** The plans of a device on the GPU. The buffer of a plan is freed when the plan is garbage-collected. */
export class Plans {
  /** Cache of the other small lists of words of calls. */
  readonly words = new Words();
  readonly #uploaded = new WeakMap<TilePlan, Uploaded>();
  readonly #collected = new FinalizationRegistry<Uploaded>(({ engine, uploadedPlan }) => {
    if (!engine.lost && !engine.closed) engine.buffers.free(uploadedPlan.buffer);
  });

  /**
   * The buffer of a plan, uploaded once: a word per tile (offset of its mask bits · 4 + class), the mask bits of all "some"
   * tiles, and the bounds of the tiles that each row and each column reads.
   */
  upload({ engine }: ForwardContext, plan: TilePlan): UploadedPlan {
    const previous = this.#uploaded.get(plan);
    if (previous?.engine === engine) return previous.uploadedPlan;
    const { classes, bitsAt, bits, rows, columns, batches, heads } = plan;
    const planes = batches * heads;
    const rowBoundsAt = classes.length + bits.length;
    const columnBoundsAt = rowBoundsAt + 2 * planes * rows;
    const array = new Uint32Array(columnBoundsAt + 2 * planes * columns);
    const [rowTiles, columnTiles] = [new Uint32Array(planes * rows), new Uint32Array(planes * columns)];
    const widen = (at: number, tiles: Uint32Array, line: number, i: number) => {
      if (tiles[line]! === 0) array[at + 2 * line] = i;
      array[at + 2 * line + 1] = i + 1;
      tiles[line]! += 1;
    };
    for (let plane = 0, tile = 0; plane < planes; plane++) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++, tile++) {
          array[tile] = bitsAt[tile]! * 4 + classes[tile]!;
          if (classes[tile] === 0) continue;
          widen(rowBoundsAt, rowTiles, plane * rows + row, column);
          widen(columnBoundsAt, columnTiles, plane * columns + column, row);
        }
      }
    }
    array.set(bits, classes.length);
    const buffer = engine.buffers.allocate("attention", array.byteLength);
    engine.write(buffer, array);
    const uploadedPlan = { buffer, rowBoundsAt, columnBoundsAt, rowTiles, columnTiles };
    const entry = { engine, uploadedPlan };
    this.#uploaded.set(plan, entry);
    this.#collected.register(plan, entry);
    return uploadedPlan;
  }
}
