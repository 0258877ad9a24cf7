import type { Engine } from "../engine.js";
import { Failure } from "../failure.js";
import type { GpuInstance, GpuJs, GpuKernel } from "../gpujs.js";

/** Numbers of this mode lie in the program's memory. */
export type Numbers = { readonly length: number; readonly bytes: number; readonly numbers: Float32Array };

/** One run of a kernel. */
export type Run = {
  readonly name: string;
  /** In the JavaScript that gpu.js compiles; one thread returns one number. Sizes are `this.constants`. */
  readonly source: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly inputs: readonly Float32Array[];
  /** Threads along x, y and z; the result is their numbers in row-major order, z first. */
  readonly output: readonly [x: number, y: number, z: number];
};

/** Compiled kernels that are kept. The one that was used longest ago goes first. */
const mostKernels = 64;

/** gpu.js in mode webasm: kernels of one number a thread, compiled for their sizes. */
export class Scalars implements Engine<Numbers> {
  readonly mode = "webasm";
  readonly #gpu: GpuInstance;
  readonly #kernels = new Map<string, GpuKernel>();
  #closed = false;

  constructor(GPU: GpuJs) {
    this.#gpu = new GPU({ mode: "webasm" });
  }

  get compiled(): number {
    return this.#kernels.size;
  }

  run({ name, source, constants, inputs, output }: Run): Float32Array {
    if (this.#closed) throw new Failure("lost", "the device was closed");
    const sizes = inputs.map(({ length }) => length);
    const key = [source, JSON.stringify(constants), sizes, output].join("|");
    const known = this.#kernels.get(key);
    this.#kernels.delete(key);
    try {
      const kernel =
        known ??
        this.#gpu.createKernel(source, {
          constants,
          output: [...output],
          precision: "single",
          tactic: "precision",
        });
      const result = kernel(...inputs) as Float32Array[][];
      const { mode } = kernel.kernel.constructor;
      if (mode !== "webasm") throw new Error(`gpu.js ran it in mode ${mode}`);
      this.#kernels.set(key, kernel);
      if (this.#kernels.size > mostKernels) this.#forgetOldest();
      return flatten(result, output);
    } catch (cause) {
      throw new Failure("compile", `the kernel ${name} was refused`, cause);
    }
  }

  upload(numbers: Float32Array): Numbers {
    return { length: numbers.length, bytes: numbers.byteLength, numbers };
  }

  read({ numbers }: Numbers): Float32Array {
    return numbers;
  }

  async fetch({ numbers }: Numbers): Promise<Float32Array> {
    return numbers;
  }

  free(): void {}

  idleBytes(): number {
    return 0;
  }

  lost(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    while (this.#kernels.size > 0) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const [key, kernel] = this.#kernels.entries().next().value!;
    this.#kernels.delete(key);
    const at = this.#gpu.kernels.indexOf(kernel.kernel);
    kernel.destroy();
    if (at >= 0) this.#gpu.kernels.splice(at, 1);
  }
}

function flatten(planes: Float32Array[][], [x, y, z]: Run["output"]): Float32Array {
  const numbers = new Float32Array(x * y * z);
  planes.forEach((rows, k) => rows.forEach((row, j) => numbers.set(row, (k * y + j) * x)));
  return numbers;
}
