import { Failure } from "../failure.js";
import type { GpuInstance, GpuKernel } from "../gpujs.js";
import type { Run } from "./run.js";

/** Capacity of the cache. The least recently used kernel is evicted. */
const maxKernels = 192;

/** LRU cache of compiled gpu.js kernels. */
export class Compiled {
  readonly #gpu: GpuInstance;
  readonly #kernels = new Map<string, { kernel: GpuKernel; bytes: number }>();
  #bytes = 0;

  constructor(gpu: GpuInstance) {
    this.#gpu = gpu;
  }

  /** Bytes of output buffers: each kernel retains its last result. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The kernel of a run, compiled if necessary.
   *
   * @param sizes - Sizes of its inputs, for which it is compiled, too.
   */
  kernel<B>({ name, body, inputs, ints = {}, constants = {}, length }: Run<B>, sizes = ""): GpuKernel {
    const params = [...Object.keys(inputs), ...Object.keys(ints)];
    const source = `function ${name}(${params.join(", ")}) {
  const n = this.thread.x;
  ${body}
}`;
    const key = [source, JSON.stringify(constants), length, sizes].join("|");
    let entry = this.#kernels.get(key);
    // Deleted and set again: the map's order is the order of use.
    if (entry) this.#kernels.delete(key);
    else {
      if (this.#kernels.size >= maxKernels) this.#evictOldest();
      entry = { kernel: this.#compile(source, inputs, ints, constants, length), bytes: length * 4 };
      this.#bytes += entry.bytes;
    }
    this.#kernels.set(key, entry);
    return entry.kernel;
  }

  clear(): void {
    while (this.#kernels.size > 0) this.#evictOldest();
  }

  #compile(source: string, inputs: object, ints: object, constants: object, length: number): GpuKernel {
    try {
      return this.#gpu.createKernel(source, {
        constants,
        output: [length],
        precision: "single",
        tactic: "precision",
        argumentTypes: [...Object.keys(inputs).map(() => "Array"), ...Object.keys(ints).map(() => "Integer")],
      });
    } catch (cause) {
      throw new Failure("compile", `the kernel ${/\w+(?=\()/.exec(source)![0]} was refused`, cause);
    }
  }

  #evictOldest(): void {
    const [key, { kernel, bytes }] = this.#kernels.entries().next().value!;
    this.#kernels.delete(key);
    this.#bytes -= bytes;
    const { kernel: registered } = kernel;
    kernel.destroy();
    const at = this.#gpu.kernels.indexOf(registered);
    if (at >= 0) this.#gpu.kernels.splice(at, 1);
  }
}
