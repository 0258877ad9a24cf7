import { allocateArray, checkAlive, type ScopedStorage } from "@qkv/tensor/devices";
import type { DType, Storage, TypedArray, View } from "@qkv/tensor";
import type { Buffer, Engine } from "./engine.js";

/**
 * One allocation. Its numbers are in a host array, on the device, or the same in both places; in neither place they are
 * zeros.
 */
export type Stored<B extends Buffer> = ScopedStorage & {
  array: TypedArray | undefined;
  readonly slot: Slot<B>;
};

/** The device's memory of an allocation: an object of its own, so that it can be freed when the allocation is collected. */
type Slot<B> = { buffer: B | undefined; residency: "scope" | "evictable" | "pinned" };

/**
 * The allocations of a device. Those of a scope stay on the device until the scope ends, pinned ones as long as they are
 * reachable, and evictable ones within a budget. Beyond it, the least recently used are freed, after being read back if the
 * host does not have their numbers and they are still reachable.
 */
export class Store<B extends Buffer> {
  readonly engine: Engine<B>;
  readonly #budget: number;
  readonly #evictable = new Map<Slot<B>, WeakRef<Stored<B>>>();
  readonly #unreachable = new FinalizationRegistry<Slot<B>>((slot) => this.#free(slot));
  #evictableBytes = 0;
  #bytes = 0;
  #peak = 0;

  constructor(engine: Engine<B>, budget: number) {
    this.engine = engine;
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get peakBytes(): number {
    return this.#peak;
  }

  make(
    dtype: DType,
    length: number,
    array: TypedArray | undefined,
    residency: Slot<B>["residency"],
  ): Stored<B> {
    const storage: Stored<B> = { dtype, length, array, slot: { buffer: undefined, residency } };
    this.#unreachable.register(storage, storage.slot);
    return storage;
  }

  /** The numbers on the device, uploaded if necessary. All dtypes are stored as float32: integers below 2^24 and bools are exact. */
  bufferOf(view: Pick<View, "storage">): B {
    const storage = view.storage as Stored<B>;
    checkAlive(storage);
    const { slot } = storage;
    if (slot.buffer) {
      this.#touch(storage);
      return slot.buffer;
    }
    const { array, length } = storage;
    const numbers =
      array instanceof Float32Array ? array : Float32Array.from(array ?? new Uint8Array(length));
    const buffer = this.engine.upload(numbers);
    this.#hold(storage, buffer);
    return buffer;
  }

  /** Replaces the numbers of an allocation by the result of a kernel. */
  setBuffer(view: Pick<View, "storage">, buffer: B): void {
    const storage = view.storage as Stored<B>;
    this.#free(storage.slot);
    storage.array = undefined;
    this.#hold(storage, buffer);
  }

  /** Frees a buffer that belongs to no allocation. */
  freeBuffer(buffer: B): void {
    this.engine.free(buffer);
  }

  array(storage: Stored<B>, use?: "read"): TypedArray {
    checkAlive(storage);
    const { slot, dtype, length } = storage;
    storage.array ??= slot.buffer
      ? toTypedArray(dtype, this.engine.read(slot.buffer))
      : allocateArray(dtype, length);
    // The program may write to the array: the buffer is stale from now on.
    if (use !== "read") this.#free(slot);
    return storage.array;
  }

  async fetch(storage: Stored<B>): Promise<TypedArray> {
    checkAlive(storage);
    const { buffer } = storage.slot;
    if (storage.array || !buffer) return this.array(storage, "read");
    const array = toTypedArray(storage.dtype, await this.engine.fetch(buffer));
    // The program may have written to the allocation meanwhile: then these numbers are stale.
    if (storage.slot.buffer === buffer) storage.array ??= array;
    return array;
  }

  /** The number of a tensor of one element, if it is on the host: kernels receive it as a parameter. */
  hostScalar(view: View): number | undefined {
    const { length, array } = view.storage as Stored<B>;
    checkAlive(view.storage);
    return length === 1 && array ? array[0] : undefined;
  }

  release(storage: Stored<B>): void {
    this.#free(storage.slot);
    storage.array = undefined;
  }

  setResidency(storage: Stored<B>, residency: Slot<B>["residency"]): void {
    const { slot } = storage;
    this.#unlist(slot);
    slot.residency = residency;
    if (slot.buffer && residency === "evictable") this.#list(storage, slot.buffer);
  }

  /** Evicts allocations beyond the budget. Called between operations only, because those need their buffers. */
  trim(): void {
    for (const [slot, reference] of this.#evictable) {
      if (this.#evictableBytes <= this.#budget) return;
      const storage = reference.deref();
      if (storage && !storage.array && slot.buffer) {
        storage.array = toTypedArray(storage.dtype, this.engine.read(slot.buffer));
      }
      this.#free(slot);
    }
  }

  #hold(storage: Stored<B>, buffer: B): void {
    storage.slot.buffer = buffer;
    this.#bytes += buffer.bytes;
    this.#peak = Math.max(this.#peak, this.#bytes);
    if (storage.slot.residency === "evictable") this.#list(storage, buffer);
  }

  #free(slot: Slot<B>): void {
    const { buffer } = slot;
    if (!buffer) return;
    this.#unlist(slot);
    slot.buffer = undefined;
    this.#bytes -= buffer.bytes;
    this.engine.free(buffer);
  }

  #list(storage: Stored<B>, buffer: B): void {
    this.#evictable.set(storage.slot, new WeakRef(storage));
    this.#evictableBytes += buffer.bytes;
  }

  #unlist(slot: Slot<B>): void {
    if (this.#evictable.delete(slot)) this.#evictableBytes -= slot.buffer!.bytes;
  }

  #touch({ slot }: Stored<B>): void {
    const reference = this.#evictable.get(slot);
    if (!reference) return;
    this.#evictable.delete(slot);
    this.#evictable.set(slot, reference);
  }
}

/** Converts float32 numbers from the device to an array of the dtype. */
function toTypedArray(dtype: Storage["dtype"], numbers: Float32Array): TypedArray {
  if (dtype === "float32") return numbers;
  const array = allocateArray(dtype, numbers.length);
  array.set(numbers);
  return array;
}
