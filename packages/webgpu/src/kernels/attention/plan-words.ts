import type { TilePlan } from "@qkv/attention-contract";
import type { GpuBuffer } from "../../buffers.js";
import type { Context } from "../../context.js";
import type { Engine } from "../../engine.js";
import { Words } from "./words.js";

/** Queries and keys of a tile of a plan, which the kernels are written for. */
export const planTile = 64;

type Uploaded = { readonly engine: Engine; readonly buffer: GpuBuffer };

/** Plans on the GPU, of one device. A plan that is collected frees its buffer. */
export class Plans {
  /** Other small lists of calls. */
  readonly words = new Words();
  readonly #uploaded = new WeakMap<TilePlan, Uploaded>();
  readonly #collected = new FinalizationRegistry<Uploaded>(({ engine, buffer }) => {
    if (!engine.lost && !engine.closed) engine.buffers.free(buffer);
  });

  /**
   * A plan on the GPU, uploaded once: for each tile a word, the place of its bits times 4 plus its class, and the bits of
   * all "some" tiles.
   */
  buffer({ engine }: Context, plan: TilePlan): GpuBuffer {
    const known = this.#uploaded.get(plan);
    if (known?.engine === engine) return known.buffer;
    const { classes, bitsAt, bits } = plan;
    const words = new Uint32Array(classes.length + bits.length);
    for (let tile = 0; tile < classes.length; tile++) words[tile] = bitsAt[tile]! * 4 + classes[tile]!;
    words.set(bits, classes.length);
    const buffer = engine.buffers.allocate("attention", words.byteLength);
    engine.write(buffer, words);
    const entry = { engine, buffer };
    this.#uploaded.set(plan, entry);
    this.#collected.register(plan, entry);
    return buffer;
  }
}
