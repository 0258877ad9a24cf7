import type { TilePlan } from "@qkv/attention-contract";
import type { GpuBuffer } from "../../buffers.js";
import type { ForwardContext } from "../../context.js";
import { Words } from "./words.js";

/** Queries and keys of a tile of a plan, which the kernels are written for. */
export const planTile = 64;

/** A plan on the GPU, and the tiles that kernels read of it. */
export type PlacedPlan = {
  readonly buffer: GpuBuffer;
  /** Place of the first and the end of the columns that a row of tiles sees, for each row of each head and batch. */
  readonly rowBoundsAt: number;
  /** As `rowBoundsAt`, of the rows that see a column. */
  readonly columnBoundsAt: number;
  /** Number of tiles that are read, by row and by column of each head and batch. */
  readonly rowTiles: Uint32Array;
  readonly columnTiles: Uint32Array;
};

type Uploaded = { readonly engine: ForwardContext["engine"]; readonly placed: PlacedPlan };

/** Plans on the GPU, of one device. A plan that is collected frees its buffer. */
export class Plans {
  /** Other small lists of calls. */
  readonly words = new Words();
  readonly #uploaded = new WeakMap<TilePlan, Uploaded>();
  readonly #collected = new FinalizationRegistry<Uploaded>(({ engine, placed }) => {
    if (!engine.lost && !engine.closed) engine.buffers.free(placed.buffer);
  });

  /**
   * A plan on the GPU, uploaded once: for each tile a word, the place of its bits times 4 plus its class; the bits of all
   * "some" tiles; and the bounds of what each row and each column reads.
   */
  place({ engine }: ForwardContext, plan: TilePlan): PlacedPlan {
    const known = this.#uploaded.get(plan);
    if (known?.engine === engine) return known.placed;
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
    const placed = { buffer, rowBoundsAt, columnBoundsAt, rowTiles, columnTiles };
    const entry = { engine, placed };
    this.#uploaded.set(plan, entry);
    this.#collected.register(plan, entry);
    return placed;
  }
}
