import { allocateArray, bytesPerElement, checkAlive, viewArray } from "@qkv/core";
import type { DType, Storage, TypedArray, View } from "@qkv/tensor";
import type { ScopedStorage } from "@qkv/tensor/devices";
import type { GpuBuffer } from "./buffers.js";
import type { Engine } from "./engine.js";
import { deviceError } from "./failures.js";

/** An allocation: its numbers as a host array, on the GPU, or the same numbers in both. In neither, they are zeros. */
export type Stored = ScopedStorage & { array: TypedArray | undefined; readonly slot: Slot };

/** An allocation's hold on the GPU's memory, apart from the allocation, so that it can be freed after the allocation is. */
type Slot = {
  buffer: GpuBuffer | undefined;
  engine: Engine | undefined;
  version: number;
  /** True for what lives as long as it is reachable: parameters, caches, state. */
  pinned: boolean;
  /** True for what a dry run made. */
  readonly dry: boolean;
  /** True for numbers that a dry run would have computed. */
  missing: boolean;
};

/** A tensor as kernels find it: where its numbers lie. */
export type Placed = Pick<View, "storage" | "dtype" | "shape" | "strides" | "offset">;

/** Numbers of a pinned tensor that an upload leaves on the host, too. Of others all stay: their buffers end with a scope. */
const mostKept = 4096;

/** The allocations of a device. */
export class Store {
  engine: Engine;
  /** The operation that runs, for errors. */
  op = "device";
  /** Uploads whose numbers are on the host, too. */
  readonly #uploads = new Set<WeakRef<Stored>>();
  readonly #unreachable = new FinalizationRegistry<Slot>((slot) => free(slot));

  constructor(engine: Engine) {
    this.engine = engine;
  }

  make(dtype: DType, length: number, array: TypedArray | undefined): Stored {
    const { dry } = this.engine;
    const slot: Slot = {
      buffer: undefined,
      engine: undefined,
      version: 0,
      pinned: false,
      dry,
      missing: false,
    };
    const storage: Stored = { dtype, length, array, slot };
    this.#unreachable.register(storage, slot);
    return storage;
  }

  /** The buffer that holds a tensor's numbers now, uploaded if they are on the host alone. */
  read({ storage }: Pick<View, "storage">): GpuBuffer {
    const stored = storage as Stored;
    checkAlive(stored);
    const { slot } = stored;
    if (slot.missing && !this.engine.dry) throw deviceError(this.op, "dry", "numbers of a dry run");
    if (slot.buffer && slot.engine === this.engine) return slot.buffer;
    if (slot.buffer && !stored.array) {
      throw deviceError(this.op, "lost", "a tensor whose numbers were on the device before it was restarted");
    }
    const array = stored.array ?? allocateArray(stored.dtype, stored.length);
    this.#hold(slot, stored);
    this.engine.write(slot.buffer!, array);
    if (!slot.pinned) this.#uploads.add(new WeakRef(stored));
    else if (stored.length > mostKept) stored.array = undefined;
    return slot.buffer!;
  }

  /** The buffer of numbers that are on the GPU; undefined for those that are on the host alone. */
  bufferOf({ storage }: Pick<View, "storage">): GpuBuffer | undefined {
    const { slot } = storage as Stored;
    return slot.engine === this.engine ? slot.buffer : undefined;
  }

  /** A tensor whose numbers live as long as it is reachable. */
  pin({ slot }: Stored): void {
    slot.pinned = true;
  }

  /** Frees the buffers of numbers that the host has, too, at the end of the outermost scope. */
  freeUploads(): void {
    for (const reference of this.#uploads) {
      const stored = reference.deref();
      if (stored?.array && !stored.slot.pinned) free(stored.slot);
    }
    this.#uploads.clear();
  }

  /**
   * A buffer for the numbers of an output, which its kernel writes all of.
   *
   * @param more - Bytes after them that the kernel keeps numbers of its own in.
   */
  write({ storage }: Pick<View, "storage">, more = 0): GpuBuffer {
    const stored = storage as Stored;
    const { slot } = stored;
    if (more > 0) free(slot);
    if (!slot.buffer || slot.engine !== this.engine) this.#hold(slot, stored, more);
    stored.array = undefined;
    slot.version += 1;
    slot.missing = this.engine.dry;
    return slot.buffer!;
  }

  /** The buffer of a tensor that a kernel changes in place. */
  change(view: Pick<View, "storage">): GpuBuffer {
    const stored = view.storage as Stored;
    if (this.engine.dry && !stored.slot.dry)
      throw deviceError(this.op, "dry", "a dry run that changes a tensor from before it");
    const buffer = this.read(view);
    stored.slot.missing = this.engine.dry;
    stored.array = undefined;
    stored.slot.version += 1;
    return buffer;
  }

  /** The numbers on the host, where they are there already. */
  hostArray({ storage }: Pick<View, "storage">): TypedArray | undefined {
    const stored = storage as Stored;
    checkAlive(stored);
    return stored.array ?? (stored.slot.buffer ? undefined : allocateArray(stored.dtype, stored.length));
  }

  /** True for numbers that are on the GPU alone. */
  isPending({ array, slot }: Stored): boolean {
    return !array && slot.buffer !== undefined;
  }

  array(storage: Stored, use?: "read"): TypedArray {
    checkAlive(storage);
    const { slot, dtype, length } = storage;
    if (this.isPending(storage)) {
      throw deviceError(
        "data",
        "wait",
        "numbers that are on the GPU, which gives them only to a program that waits",
      );
    }
    storage.array ??= allocateArray(dtype, length);
    // The program may write to the array: the buffer is stale from now on.
    if (use !== "read") free(slot);
    return storage.array;
  }

  async fetch(storage: Stored): Promise<TypedArray> {
    checkAlive(storage);
    const { slot, dtype, length } = storage;
    if (storage.array || !slot.buffer) return this.array(storage, "read");
    const { version } = slot;
    const buffer = this.read({ storage });
    const bytes = await this.engine.read("read", buffer, length * bytesPerElement(dtype));
    const array = viewArray(dtype, bytes, 0, length);
    // Unless it was written to meanwhile.
    if (slot.buffer === buffer && slot.version === version) storage.array ??= array;
    return array;
  }

  release(storage: Storage): void {
    const stored = storage as Stored;
    free(stored.slot);
    stored.array = undefined;
  }

  #hold(slot: Slot, { dtype, length }: Stored, more = 0): void {
    slot.buffer = this.engine.buffers.allocate(this.op, length * bytesPerElement(dtype) + more);
    slot.engine = this.engine;
  }
}

function free(slot: Slot): void {
  const { buffer, engine } = slot;
  slot.buffer = undefined;
  slot.version += 1;
  // Buffers of an engine that was lost went with it.
  if (buffer && engine && !engine.lost && !engine.closed) engine.buffers.free(buffer);
}
