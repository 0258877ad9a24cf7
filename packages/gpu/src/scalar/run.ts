import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Buffer, Engine } from "../engine.js";
import { Failure } from "../failure.js";
import type { Store } from "../store.js";

/** A run of a kernel whose threads compute one number each. */
export type Run<B> = {
  readonly name: string;
  /**
   * Body of a function in the JavaScript that gpu.js compiles. It returns element `n` of the result, the one of this thread.
   * Inputs are arrays by name, `x[i]`. Loops have bounds in `this.constants`: gpu.js stops others after 1000 iterations.
   */
  readonly body: string;
  readonly inputs: Readonly<Record<string, B>>;
  /** Integers by name that may change from call to call without compiling again. */
  readonly ints?: Readonly<Record<string, number>>;
  readonly constants?: Readonly<Record<string, number>>;
  /** Length of the result. */
  readonly length: number;
};

export type ScalarEngine<B extends Buffer> = Engine<B> & { run(run: Run<B>): B };

/** The engine of the kernels and the store of tensors. */
export type Scalar<B extends Buffer> = { readonly engine: ScalarEngine<B>; readonly store: Store<B> };

/** Some indices are computed in float32, which represents all integers up to this one. */
const maxNumbers = 2 ** 24;

/** Refuses tensors whose indices float32 does not represent exactly. */
export function checkLengths<B extends Buffer>({ name, inputs, length }: Run<B>): void {
  const most = Math.max(length, ...Object.values(inputs).map((input) => input.length));
  if (most <= maxNumbers) return;
  throw new Failure("size", `${most} numbers in ${name}, and this mode counts to ${maxNumbers}`);
}

/** Runs a kernel and stores its result as the numbers of `output`. */
export function runInto<B extends Buffer>(
  { engine, store }: Scalar<B>,
  output: View,
  run: Omit<Run<B>, "length">,
): true {
  store.setBuffer(output, engine.run({ ...run, length: sizeOf(output.shape) }));
  return true;
}

/** Registers a buffer as scratch memory, and returns it. */
export type RegisterScratch<B> = (buffer: B) => B;

/** Runs `f` with scratch buffers: `asScratch` registers a buffer, and all registered ones are freed at the end. */
export function withScratch<B extends Buffer, T>(
  { store }: Scalar<B>,
  f: (asScratch: RegisterScratch<B>) => T,
): T {
  const scratch: B[] = [];
  try {
    return f((buffer) => {
      scratch.push(buffer);
      return buffer;
    });
  } finally {
    for (const buffer of scratch) store.freeBuffer(buffer);
  }
}
