import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Buffer, Engine } from "../engine.js";
import { Failure } from "../failure.js";
import type { Store } from "../store.js";

/** One run of a kernel whose threads compute one number each. */
export type Run<B> = {
  readonly name: string;
  /**
   * The body of a function in the JavaScript that gpu.js compiles: from `n`, the thread's number, it returns number n of
   * the result. Inputs are `x[i]`, by name; bounds of loops are `this.constants`, since others are cut at 1000 rounds.
   */
  readonly body: string;
  readonly inputs: Readonly<Record<string, B>>;
  /** Whole numbers that change from call to call, by name: not part of what is compiled. */
  readonly ints?: Readonly<Record<string, number>>;
  readonly constants?: Readonly<Record<string, number>>;
  /** Numbers of the result. */
  readonly length: number;
};

export type ScalarEngine<B extends Buffer> = Engine<B> & { run(run: Run<B>): B };

/** The engine of the kernels and the store of tensors. */
export type Scalar<B extends Buffer> = { readonly engine: ScalarEngine<B>; readonly store: Store<B> };

/** Some indices are computed in float32, which has all whole numbers up to this one. */
const mostNumbers = 2 ** 24;

/** Refuses tensors whose indices float32 could not hold. */
export function checkLengths<B extends Buffer>({ name, inputs, length }: Run<B>): void {
  const most = Math.max(length, ...Object.values(inputs).map((input) => input.length));
  if (most <= mostNumbers) return;
  throw new Failure("size", `${most} numbers in ${name}, and this mode counts to ${mostNumbers}`);
}

/** Runs a kernel whose result is an output. */
export function runInto<B extends Buffer>(
  { engine, store }: Scalar<B>,
  output: View,
  run: Omit<Run<B>, "length">,
): true {
  store.put(output, engine.run({ ...run, length: sizeOf(output.shape) }));
  return true;
}

/** Runs `f` with buffers that only the call needs: `own` registers one, and all are freed at the end. */
export function withScratch<B extends Buffer, T>({ store }: Scalar<B>, f: (own: (buffer: B) => B) => T): T {
  const scratch: B[] = [];
  try {
    return f((buffer) => {
      scratch.push(buffer);
      return buffer;
    });
  } finally {
    for (const buffer of scratch) store.drop(buffer);
  }
}
