import { sizeOf, type Storage, type Tensor } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { Context } from "../../context.js";
import type { Stored } from "../../store.js";

/**
 * The largest score and 1 / sum of each row, which a forward call keeps after the rows of `lse`, in its buffer: in scores
 * of 10⁴ lse has no digits left for the sum, which would tilt every weight that is computed again from it.
 */
export class RowStats {
  readonly #kept = new WeakMap<Storage, { readonly buffer: GpuBuffer; readonly version: number }>();

  /** A buffer for lse and what is kept after it. */
  write({ store }: Context, lse: Tensor): GpuBuffer {
    const buffer = store.write(lse, 8 * sizeOf(lse.shape));
    this.#kept.set(lse.storage, { buffer, version: (lse.storage as Stored).slot.version });
    return buffer;
  }

  /** The buffer of {@link write}, while it holds what was written; undefined for a tensor that came another way. */
  read({ storage }: Tensor): GpuBuffer | undefined {
    const kept = this.#kept.get(storage);
    const { slot } = storage as Stored;
    return kept && slot.buffer === kept.buffer && slot.version === kept.version ? kept.buffer : undefined;
  }
}
