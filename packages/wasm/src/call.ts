import type { TypedArray, View } from "@qkv/tensor";
import type { Engine } from "./engine.js";
import type { WasmMemory } from "./memory.js";

/**
 * One run of a kernel: where its inputs and outputs lie in the memory. What lies outside is copied in before, and
 * outputs are copied out after. Pieces taken for a call are given back at its end, whatever happens.
 *
 * @param f - Returns false to leave the call to the plain kernel: nothing is copied out then.
 */
export function withCall(engine: Engine, f: (call: Call) => boolean): boolean {
  const call = new Call(engine.memory);
  try {
    const done = f(call);
    if (done) call.copyOut();
    return done;
  } finally {
    call.giveBack();
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

export class Call {
  readonly #memory: WasmMemory;
  readonly #taken: [pointer: number, bytes: number][] = [];
  readonly #out: [pointer: number, array: TypedArray][] = [];

  constructor(memory: WasmMemory) {
    this.#memory = memory;
  }

  /** Byte addresses of the first element of each view. All inputs and outputs of a call are placed at once. */
  place(inputs: readonly View[], outputs: readonly View[]): number[] {
    const { buffer } = this.#memory.memory;
    // Addresses first: taking memory may replace the buffer, and views of the old one forget where they were.
    const views = [...inputs, ...outputs];
    const known = views.map(({ array, offset }) =>
      array.buffer === buffer ? array.byteOffset + offset * array.BYTES_PER_ELEMENT : undefined,
    );
    return views.map(
      (view, i) => known[i] ?? (i < inputs.length ? this.#copyIn(view) : this.#makeRoom(view)),
    );
  }

  /** Bytes that only this call needs. */
  scratch(bytes: number): number {
    const pointer = this.#memory.take(bytes);
    this.#taken.push([pointer, bytes]);
    return pointer;
  }

  /** Writes words of 32 bits: whole numbers, and floats as `bitsOf` makes words of them. */
  write(words: readonly number[]): number {
    const pointer = this.scratch(4 * words.length);
    new Int32Array(this.#memory.memory.buffer, pointer, words.length).set(words);
    return pointer;
  }

  /** Copies a whole array in, for plans and programs. */
  copy(array: TypedArray | Uint32Array): number {
    const pointer = this.scratch(Math.max(4, array.byteLength));
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    new Uint8Array(this.#memory.memory.buffer, pointer, array.byteLength).set(bytes);
    return pointer;
  }

  /** Copies whole arrays in as one piece, each to a multiple of 4. */
  copyAll(arrays: readonly (TypedArray | Uint32Array)[]): number[] {
    const lengths = arrays.map(({ byteLength }) => Math.ceil(byteLength / 4) * 4);
    let to = this.scratch(
      Math.max(
        4,
        lengths.reduce((sum, length) => sum + length, 0),
      ),
    );
    const bytes = new Uint8Array(this.#memory.memory.buffer);
    return arrays.map(({ buffer, byteOffset, byteLength }, i) => {
      const at = to;
      bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
      to += lengths[i]!;
      return at;
    });
  }

  /** Copies outputs to where they belong. */
  copyOut(): void {
    const { buffer } = this.#memory.memory;
    for (const [pointer, array] of this.#out) {
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(
        new Uint8Array(buffer, pointer, array.byteLength),
      );
    }
  }

  giveBack(): void {
    for (const [pointer, bytes] of this.#taken) this.#memory.giveBack(pointer, bytes);
  }

  /** Copies the stretch of the array that a view touches. */
  #copyIn({ array, shape, strides, offset }: View): number {
    if (shape.includes(0)) return this.scratch(4);
    const size = array.BYTES_PER_ELEMENT;
    const last = shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis]!, offset);
    const bytes = (last + 1 - offset) * size;
    const pointer = this.scratch(bytes);
    new Uint8Array(this.#memory.memory.buffer, pointer, bytes).set(
      new Uint8Array(array.buffer, array.byteOffset + offset * size, bytes),
    );
    return pointer;
  }

  #makeRoom({ array }: View): number {
    const pointer = this.scratch(Math.max(4, array.byteLength));
    this.#out.push([pointer, array]);
    return pointer;
  }
}
