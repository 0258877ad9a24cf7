import { sizeOf, type Storage, type Tensor } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { Context } from "../../context.js";
import type { Stored } from "../../store.js";

/**
 * The largest score and 1 / sum of each row, which a forward call stores in the buffer of `lse`, after its rows. The backward
 * pass recomputes weights from them: with scores of 10⁴, lse in float32 would lose the digits of the sum.
 */
export class RowStats {
  readonly #stored = new WeakMap<Storage, { readonly buffer: GpuBuffer; readonly version: number }>();

  /** A buffer for lse and the statistics after it. */
  write({ store }: Context, lse: Tensor): GpuBuffer {
    const buffer = store.write(lse, 8 * sizeOf(lse.shape));
    this.#stored.set(lse.storage, { buffer, version: (lse.storage as Stored).slot.version });
    return buffer;
  }

  /** The buffer of {@link write} while it is unchanged; undefined for tensors that no forward call of this device wrote. */
  read({ storage }: Tensor): GpuBuffer | undefined {
    const stored = this.#stored.get(storage);
    const { slot } = storage as Stored;
    return stored && slot.buffer === stored.buffer && slot.version === stored.version
      ? stored.buffer
      : undefined;
  }
}
