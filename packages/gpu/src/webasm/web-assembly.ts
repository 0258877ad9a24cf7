import { Failure } from "../failure.js";
import type { GpuInstance, GpuJs } from "../gpujs.js";
import { Compiled } from "../scalar/compiled.js";
import { checkLengths, type Run, type ScalarEngine } from "../scalar/run.js";

/** A buffer of this mode: an array on the host. */
export type Numbers = { readonly length: number; readonly bytes: number; readonly numbers: Float32Array };

/** gpu.js in mode webasm: kernels that compute one number per thread, compiled for the sizes of their inputs. */
export class WebAssemblyEngine implements ScalarEngine<Numbers> {
  readonly mode = "webasm";
  readonly #gpu: GpuInstance;
  readonly #compiled: Compiled;
  #closed = false;

  constructor(GPU: GpuJs) {
    this.#gpu = new GPU({ mode: "webasm" });
    this.#compiled = new Compiled(this.#gpu);
  }

  run(run: Run<Numbers>): Numbers {
    if (this.#closed) throw new Failure("lost", "the device was closed");
    checkLengths(run);
    const inputs = Object.values(run.inputs);
    const kernel = this.#compiled.kernel(run, inputs.map(({ length }) => length).join());
    try {
      const result = kernel(
        ...inputs.map(({ numbers }) => numbers),
        ...Object.values(run.ints ?? {}),
      ) as Float32Array;
      const { mode } = kernel.kernel.constructor;
      if (mode !== "webasm") throw new Error(`gpu.js ran it in mode ${mode}`);
      return this.upload(result);
    } catch (cause) {
      throw new Failure("compile", `the kernel ${run.name} was refused`, cause);
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
    return this.#compiled.bytes;
  }

  lost(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.#compiled.clear();
  }
}
