import { allocateArray, bytesPerElement, checkAlive, viewArray } from "@qkv/core";
import type { DType, Storage, TypedArray, View } from "@qkv/tensor";
import type { ScopedStorage } from "@qkv/tensor/devices";
import type { GpuBuffer } from "./buffers.js";
import type { Engine } from "./engine.js";
import { deviceError } from "./failures.js";

/** An allocation. Its numbers are in a host array, on the GPU, or the same in both; in neither place they are zeros. */
export type Stored = ScopedStorage & { array: TypedArray | undefined; readonly slot: Slot };

/** The GPU memory of an allocation: an object of its own, so that it can be freed after the allocation was garbage-collected. */
type Slot = {
  buffer: GpuBuffer | undefined;
  engine: Engine | undefined;
  version: number;
  /** True if the buffer is kept while the allocation is reachable: parameters, caches, optimizer state. */
  pinned: boolean;
  /** True if a dry run made the allocation. */
  readonly dry: boolean;
  /** True if the numbers are missing, because a dry run did not compute them. */
  missing: boolean;
};

/** A tensor as kernels see it: its storage, dtype and layout. */
export type ViewLayout = Pick<View, "storage" | "dtype" | "shape" | "strides" | "offset">;

/** Largest length of a pinned tensor whose host array is kept after an upload. Other tensors keep theirs: a scope frees their buffers. */
const maxKeptLength = 4096;

/** The allocations of a device. */
export class Store {
  engine: Engine;
  /** Name of the running operation, for errors. */
  op = "device";
  /** Uploaded allocations whose numbers are still on the host, too. */
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

  /** The buffer of a tensor, uploaded if its numbers are only on the host. */
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
    this.#allocateBuffer(slot, stored);
    this.engine.write(slot.buffer!, array);
    if (!slot.pinned) this.#uploads.add(new WeakRef(stored));
    else if (stored.length > maxKeptLength) stored.array = undefined;
    return slot.buffer!;
  }

  /** The buffer of a tensor; undefined if its numbers are only on the host. */
  bufferOf({ storage }: Pick<View, "storage">): GpuBuffer | undefined {
    const { slot } = storage as Stored;
    return slot.engine === this.engine ? slot.buffer : undefined;
  }

  /** Pins an allocation: its buffer is kept while it is reachable. */
  pin({ slot }: Stored): void {
    slot.pinned = true;
  }

  /** Frees the buffers of uploads whose numbers are still on the host. Called at the end of the outermost scope. */
  freeUploads(): void {
    for (const reference of this.#uploads) {
      const stored = reference.deref();
      if (stored?.array && !stored.slot.pinned) free(stored.slot);
    }
    this.#uploads.clear();
  }

  /**
   * A buffer for an output, all of which its kernel writes.
   *
   * @param more - Additional bytes at the end, for the kernel's own use.
   */
  write({ storage }: Pick<View, "storage">, more = 0): GpuBuffer {
    const stored = storage as Stored;
    const { slot } = stored;
    if (more > 0) free(slot);
    if (!slot.buffer || slot.engine !== this.engine) this.#allocateBuffer(slot, stored, more);
    stored.array = undefined;
    slot.version += 1;
    slot.missing = this.engine.dry;
    return slot.buffer!;
  }

  /** The buffer of a tensor that a kernel updates in place. */
  update(view: Pick<View, "storage">): GpuBuffer {
    const stored = view.storage as Stored;
    if (this.engine.dry && !stored.slot.dry)
      throw deviceError(this.op, "dry", "a dry run that changes a tensor from before it");
    const buffer = this.read(view);
    stored.slot.missing = this.engine.dry;
    stored.array = undefined;
    stored.slot.version += 1;
    return buffer;
  }

  /** The host array of a tensor; undefined if the numbers are only on the GPU. */
  hostArray({ storage }: Pick<View, "storage">): TypedArray | undefined {
    const stored = storage as Stored;
    checkAlive(stored);
    return stored.array ?? (stored.slot.buffer ? undefined : allocateArray(stored.dtype, stored.length));
  }

  /** True if the numbers are only on the GPU. */
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
    // The program may have written to the allocation meanwhile: then these numbers are stale.
    if (slot.buffer === buffer && slot.version === version) storage.array ??= array;
    return array;
  }

  release(storage: Storage): void {
    const stored = storage as Stored;
    free(stored.slot);
    stored.array = undefined;
  }

  #allocateBuffer(slot: Slot, { dtype, length }: Stored, more = 0): void {
    slot.buffer = this.engine.buffers.allocate(this.op, length * bytesPerElement(dtype) + more);
    slot.engine = this.engine;
  }
}

function free(slot: Slot): void {
  const { buffer, engine } = slot;
  slot.buffer = undefined;
  slot.version += 1;
  // The buffers of a lost or closed engine no longer exist.
  if (buffer && engine && !engine.lost && !engine.closed) engine.buffers.free(buffer);
}
