import { bytesPerElement, type TypedArray, type View } from "@qkv/tensor";
import { checkAlive } from "@qkv/tensor/devices";
import type { Engine } from "./engine.js";
import type { WasmMemory } from "./memory.js";
import type { WasmStorage } from "./storage.js";

/**
 * One run of a kernel: where its inputs and outputs lie in the memory. What lies outside is copied in before, and
 * outputs are copied out after. Scratch memory of a call is freed at its end, whatever happens.
 *
 * @param f - Returns false to leave the call to the plain kernel: nothing is copied out then.
 */
export function withCall(engine: Engine, f: (call: Call) => boolean): boolean {
  const call = new Call(engine.memory);
  try {
    return call.end(f(call));
  } finally {
    call.free();
  }
}

const [asFloat, asWord] = /* @__PURE__ */ (() => {
  const float = new Float32Array(1);
  return [float, new Int32Array(float.buffer)] as const;
})();

/** The bits of a float32, as a word. */
export function bitsOf(x: number): number {
  asFloat[0] = x;
  return asWord[0]!;
}

/** Byte address of a view in the memory; undefined for a host array. */
export function addressOf({ storage, dtype, offset }: View): number | undefined {
  const { pointer, ended } = storage as WasmStorage;
  if (ended) checkAlive(storage);
  return pointer === undefined || offset === 0 ? pointer : pointer + offset * bytesPerElement(dtype);
}

/** A tensor that is placed: strides in elements, and the address of the first in bytes. */
export type Placed = Pick<View, "shape" | "strides"> & { readonly pointer: number };

export class Call {
  readonly #memory: WasmMemory;
  /** Pointer and bytes of each scratch allocation, one after the other. Most calls have none. */
  #taken: number[] | undefined;
  /** Outputs outside of the memory. */
  #out: [pointer: number, array: TypedArray][] | undefined;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
  }

  /** Byte addresses of the first element of each view. All inputs and outputs of a call are placed at once. */
  addresses(inputs: readonly View[], outputs: readonly View[]): number[] {
    const pointers = new Array<number>(inputs.length + outputs.length);
    let at = 0;
    for (let i = 0; i < inputs.length; i++)
      pointers[at++] = addressOf(inputs[i]!) ?? this.#copyIn(inputs[i]!);
    for (let i = 0; i < outputs.length; i++)
      pointers[at++] = addressOf(outputs[i]!) ?? this.#makeRoom(outputs[i]!);
    return pointers;
  }

  /** Places one input. */
  input(view: View): Placed {
    const { shape, strides } = view;
    return { shape, strides, pointer: addressOf(view) ?? this.#copyIn(view) };
  }

  /** Places one output, packed. */
  output(view: View): Placed {
    const { shape, strides } = view;
    return { shape, strides, pointer: addressOf(view) ?? this.#makeRoom(view) };
  }

  /** Bytes that only this call needs. */
  scratch(bytes: number): number {
    const pointer = this.#memory.allocate(bytes);
    (this.#taken ??= []).push(pointer, bytes);
    return pointer;
  }

  /** Writes words of 32 bits: whole numbers, and floats as `bitsOf` makes words of them. */
  write(words: readonly number[]): number {
    const pointer = this.scratch(4 * words.length);
    const all = this.#memory.words;
    for (let i = 0, at = pointer / 4; i < words.length; i++, at++) all[at] = words[i]!;
    return pointer;
  }

  /** Copies an array in, for plans and programs. */
  copy(array: TypedArray | Uint32Array): number {
    const pointer = this.scratch(Math.max(4, array.byteLength));
    copyTo(this.#memory, array, pointer);
    return pointer;
  }

  /** Copies arrays into one allocation, each to a multiple of 4 bytes. */
  copyAll(arrays: readonly (TypedArray | Uint32Array)[]): number[] {
    let total = 0;
    for (const { byteLength } of arrays) total += Math.ceil(byteLength / 4) * 4;
    let to = this.scratch(Math.max(4, total));
    return arrays.map((array) => {
      const at = to;
      copyTo(this.#memory, array, at);
      to += Math.ceil(array.byteLength / 4) * 4;
      return at;
    });
  }

  /** Copies outputs to where they belong, where the kernel is done. */
  end(done: boolean): boolean {
    if (done && this.#out) this.#copyOut(this.#out);
    return done;
  }

  #copyOut(out: readonly [pointer: number, array: TypedArray][]): void {
    for (const [pointer, array] of out) {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      bytes.set(this.#memory.bytes.subarray(pointer, pointer + array.byteLength));
    }
  }

  free(): void {
    const taken = this.#taken;
    if (!taken) return;
    for (let i = 0; i < taken.length; i += 2) this.#memory.free(taken[i]!, taken[i + 1]!);
  }

  /** Copies the stretch of the array that a view touches. */
  #copyIn({ array, shape, strides, offset }: View): number {
    let last = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      if (shape[axis] === 0) return this.scratch(4);
      last += (shape[axis]! - 1) * strides[axis]!;
    }
    return this.copy(last + 1 === array.length ? array : array.subarray(offset, offset + last + 1));
  }

  #makeRoom({ array }: View): number {
    const pointer = this.scratch(Math.max(4, array.byteLength));
    (this.#out ??= []).push([pointer, array]);
    return pointer;
  }
}

/** Copies an array to an address; of the types that most are, without a view of its bytes. */
function copyTo(memory: WasmMemory, array: TypedArray | Uint32Array, at: number): void {
  if (array instanceof Float32Array) memory.floats.set(array, at / 4);
  else if (array instanceof Int32Array || array instanceof Uint32Array) memory.words.set(array, at / 4);
  else memory.bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
}
