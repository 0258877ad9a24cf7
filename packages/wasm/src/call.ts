import { bytesPerElement, type TypedArray, type View } from "@qkv/tensor";
import { checkAlive } from "@qkv/tensor/devices";
import type { Engine } from "./engine.js";
import type { WasmMemory } from "./memory.js";
import type { WasmStorage } from "./storage.js";

/**
 * Runs a kernel with its inputs and outputs in the device's memory. Host arrays are copied in before, and outputs that are host
 * arrays are copied out afterwards. Scratch memory of the call is always freed.
 *
 * @param f - Returns false to leave the call to the plain kernel; then nothing is copied out.
 */
export function withCall(engine: Engine, f: (call: Call) => boolean): boolean {
  const call = new Call(engine.memory);
  try {
    return call.end(f(call));
  } finally {
    call.free();
  }
}

const [floatView, wordView] = /* @__PURE__ */ (() => {
  const float = new Float32Array(1);
  return [float, new Int32Array(float.buffer)] as const;
})();

/** The bits of a float32 as a 32-bit integer. */
export function float32Bits(x: number): number {
  floatView[0] = x;
  return wordView[0]!;
}

/** Byte address of a view in the memory; undefined for a host array. */
export function deviceAddress({ storage, dtype, offset }: View): number | undefined {
  const { pointer, ended } = storage as WasmStorage;
  if (ended) checkAlive(storage);
  return pointer === undefined || offset === 0 ? pointer : pointer + offset * bytesPerElement(dtype);
}

/** A tensor in the device's memory: strides in elements, and the byte address of its first element. */
export type DeviceTensor = Pick<View, "shape" | "strides"> & { readonly pointer: number };

/** The memory of one run of a kernel: addresses of its tensors, and scratch memory. */
export class Call {
  readonly #memory: WasmMemory;
  /** Pointers and sizes in bytes of scratch allocations, alternating. Most calls have none. */
  #allocated: number[] | undefined;
  /** Outputs that are host arrays, and the addresses to copy them from. */
  #hostOutputs: [pointer: number, array: TypedArray][] | undefined;

  constructor(memory: WasmMemory) {
    this.#memory = memory;
  }

  /** Byte addresses of the first elements of all inputs, then of all outputs. */
  addresses(inputs: readonly View[], outputs: readonly View[]): number[] {
    const pointers = new Array<number>(inputs.length + outputs.length);
    let at = 0;
    for (let i = 0; i < inputs.length; i++)
      pointers[at++] = deviceAddress(inputs[i]!) ?? this.#copyIn(inputs[i]!);
    for (let i = 0; i < outputs.length; i++)
      pointers[at++] = deviceAddress(outputs[i]!) ?? this.#allocateOutput(outputs[i]!);
    return pointers;
  }

  /** An input in the device's memory, copied there if it is a host array. */
  input(view: View): DeviceTensor {
    const { shape, strides } = view;
    return { shape, strides, pointer: deviceAddress(view) ?? this.#copyIn(view) };
  }

  /** A contiguous output in the device's memory; copied out by {@link end} if it is a host array. */
  output(view: View): DeviceTensor {
    const { shape, strides } = view;
    return { shape, strides, pointer: deviceAddress(view) ?? this.#allocateOutput(view) };
  }

  /** Allocates scratch memory. Returns its address. */
  scratch(bytes: number): number {
    const pointer = this.#memory.allocate(bytes);
    (this.#allocated ??= []).push(pointer, bytes);
    return pointer;
  }

  /** Writes 32-bit words, integers or {@link float32Bits}, to scratch memory. Returns their address. */
  write(words: readonly number[]): number {
    const pointer = this.scratch(4 * words.length);
    const memoryWords = this.#memory.words;
    for (let i = 0, at = pointer / 4; i < words.length; i++, at++) memoryWords[at] = words[i]!;
    return pointer;
  }

  /** Copies an array, such as a plan or a program, to scratch memory. Returns its address. */
  copy(array: TypedArray | Uint32Array): number {
    const pointer = this.scratch(Math.max(4, array.byteLength));
    copyTo(this.#memory, array, pointer);
    return pointer;
  }

  /** Copies arrays to one scratch allocation, each to a multiple of 4 bytes. Returns their addresses. */
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

  /** Copies outputs to their host arrays if the kernel ran (`done`). Returns `done`. */
  end(done: boolean): boolean {
    if (done && this.#hostOutputs) this.#copyOut(this.#hostOutputs);
    return done;
  }

  #copyOut(outputs: readonly [pointer: number, array: TypedArray][]): void {
    for (const [pointer, array] of outputs) {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      bytes.set(this.#memory.bytes.subarray(pointer, pointer + array.byteLength));
    }
  }

  free(): void {
    const allocated = this.#allocated;
    if (!allocated) return;
    for (let i = 0; i < allocated.length; i += 2) this.#memory.free(allocated[i]!, allocated[i + 1]!);
  }

  /** Copies the part of the array that a view covers. */
  #copyIn({ array, shape, strides, offset }: View): number {
    let last = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      if (shape[axis] === 0) return this.scratch(4);
      last += (shape[axis]! - 1) * strides[axis]!;
    }
    return this.copy(last + 1 === array.length ? array : array.subarray(offset, offset + last + 1));
  }

  #allocateOutput({ array }: View): number {
    const pointer = this.scratch(Math.max(4, array.byteLength));
    (this.#hostOutputs ??= []).push([pointer, array]);
    return pointer;
  }
}

/** Copies an array to a byte address; the most frequent types without creating a view of their bytes. */
function copyTo(memory: WasmMemory, array: TypedArray | Uint32Array, at: number): void {
  if (array instanceof Float32Array) memory.floats.set(array, at / 4);
  else if (array instanceof Int32Array || array instanceof Uint32Array) memory.words.set(array, at / 4);
  else memory.bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
}
