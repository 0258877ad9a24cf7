import { allocateArray, checkAlive, type ScopedStorage } from "@qkv/tensor/devices";
import type { DType, Storage, TypedArray, View } from "@qkv/tensor";
import type { Buffer, Engine } from "./engine.js";
import { Failure } from "./failure.js";

/**
 * One allocation: its numbers as an array of the program, on the device, or the same numbers in both places. In
 * neither, they are zeros.
 */
export type Stored<B extends Buffer> = ScopedStorage & {
  array: TypedArray | undefined;
  readonly slot: Slot<B>;
};

/** What an allocation holds of the device's memory. Apart from it, so that it can be let go after the allocation is. */
type Slot<B> = { buffer: B | undefined; place: "scope" | "loose" | "kept" };

/**
 * Where numbers are. Inside a scope they stay on the device until its end. Kept ones stay as long as they are used. All
 * others stay under a budget: beyond it those that were used longest ago are read back, or just let go where the program
 * has them too, or nobody holds them any more.
 */
export class Store<B extends Buffer> {
  readonly engine: Engine<B>;
  readonly #budget: number;
  readonly #loose = new Map<Slot<B>, WeakRef<Stored<B>>>();
  readonly #forgotten = new FinalizationRegistry<Slot<B>>((slot) => this.#free(slot));
  #looseBytes = 0;
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

  make(dtype: DType, length: number, array: TypedArray | undefined, place: Slot<B>["place"]): Stored<B> {
    const storage: Stored<B> = { dtype, length, array, slot: { buffer: undefined, place } };
    this.#forgotten.register(storage, storage.slot);
    return storage;
  }

  /** The numbers on the device, float32 whatever their type: whole numbers below 2^24 and bools are exact. */
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

  /** Takes the result of a kernel as the numbers of an allocation. */
  put(view: Pick<View, "storage">, buffer: B): void {
    const storage = view.storage as Stored<B>;
    this.#free(storage.slot);
    storage.array = undefined;
    this.#hold(storage, buffer);
  }

  /** Lets go of a buffer that no allocation holds. */
  drop(buffer: B): void {
    this.engine.free(buffer);
  }

  array(storage: Stored<B>, use?: "read"): TypedArray {
    checkAlive(storage);
    const { slot, dtype, length } = storage;
    storage.array ??= slot.buffer ? typed(dtype, this.#read(slot.buffer)) : allocateArray(dtype, length);
    // What is written there is the truth from now on.
    if (use !== "read") this.#free(slot);
    return storage.array;
  }

  async fetch(storage: Stored<B>): Promise<TypedArray> {
    checkAlive(storage);
    const { buffer } = storage.slot;
    if (storage.array || !buffer) return this.array(storage, "read");
    const array = typed(storage.dtype, await this.engine.fetch(buffer));
    // Unless it was written to meanwhile.
    if (storage.slot.buffer === buffer) storage.array ??= array;
    return array;
  }

  /** The number of a single one that the program has: it travels with the call. */
  single(view: View): number | undefined {
    const { length, array } = view.storage as Stored<B>;
    checkAlive(view.storage);
    return length === 1 && array ? array[0] : undefined;
  }

  release(storage: Stored<B>): void {
    this.#free(storage.slot);
    storage.array = undefined;
  }

  place(storage: Stored<B>, place: Slot<B>["place"]): void {
    const { slot } = storage;
    this.#unlist(slot);
    slot.place = place;
    if (slot.buffer && place === "loose") this.#list(storage, slot.buffer);
  }

  /** Reads back or lets go what is beyond the budget. Between calls only: a call's own buffers must stay. */
  trim(): void {
    for (const [slot, reference] of this.#loose) {
      if (this.#looseBytes <= this.#budget) return;
      const storage = reference.deref();
      if (storage && !storage.array && slot.buffer) {
        // It stays, and its turn comes again.
        if (!this.engine.read) return this.#touch(storage);
        storage.array = typed(storage.dtype, this.engine.read(slot.buffer));
      }
      this.#free(slot);
    }
  }

  #read(buffer: B): Float32Array {
    if (this.engine.read) return this.engine.read(buffer);
    throw new Failure("wait", "numbers that are still on the GPU, which gives them only to who waits");
  }

  #hold(storage: Stored<B>, buffer: B): void {
    storage.slot.buffer = buffer;
    this.#bytes += buffer.bytes;
    this.#peak = Math.max(this.#peak, this.#bytes);
    if (storage.slot.place === "loose") this.#list(storage, buffer);
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
    this.#loose.set(storage.slot, new WeakRef(storage));
    this.#looseBytes += buffer.bytes;
  }

  #unlist(slot: Slot<B>): void {
    if (this.#loose.delete(slot)) this.#looseBytes -= slot.buffer!.bytes;
  }

  #touch({ slot }: Stored<B>): void {
    const reference = this.#loose.get(slot);
    if (!reference) return;
    this.#loose.delete(slot);
    this.#loose.set(slot, reference);
  }
}

/** Numbers as they came from the device in the array of their type. */
function typed(dtype: Storage["dtype"], numbers: Float32Array): TypedArray {
  if (dtype === "float32") return numbers;
  const array = allocateArray(dtype, numbers.length);
  array.set(numbers);
  return array;
}
