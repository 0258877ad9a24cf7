import { Failure } from "../failure.js";
import type { GpuJs } from "../gpujs.js";
import { Compiled } from "../scalar/compiled.js";
import { checkLengths, type Run, type ScalarEngine } from "../scalar/run.js";

// By their numbers, which the standard fixes: the names exist only where WebGPU does.
const usage = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, STORAGE: 128 };
const mapForReading = 1;

/** The result of a gpu.js pipeline. */
type Handle = {
  readonly buffer: GPUBuffer;
  readonly context: { readonly adapter: GPUAdapter; readonly device: GPUDevice };
  delete(): void;
};

/** Numbers that are, or will be, in a buffer of the GPU. */
export type Promised = { readonly length: number; readonly bytes: number; readonly handle: Promise<Handle> };

/** Opens the adapter, which gpu.js shares among all that use it. */
export async function openWebGpu(GPU: GpuJs): Promise<WebGpuEngine> {
  const compiled = new Compiled(new GPU({ mode: "webgpu" }), { pipeline: true, immutable: true });
  // The first result shows the adapter, and what class gpu.js wraps buffers in.
  const start = compiled.of({ name: "start", body: "return 0;", inputs: {}, length: 1 });
  return new WebGpuEngine(compiled, (await start()) as Handle);
}

/**
 * gpu.js in mode webgpu: kernels of one number a thread, each result a promise. Everything happens in the order in which
 * it was asked for. Numbers come back only to who waits.
 */
export class WebGpuEngine implements ScalarEngine<Promised> {
  readonly mode = "webgpu";
  readonly adapter: GPUAdapter;
  readonly maxBufferBytes: number;
  readonly #device: GPUDevice;
  readonly #compiled: Compiled;
  readonly #wrap: (buffer: GPUBuffer, length: number) => Handle;
  #queue: Promise<unknown> = Promise.resolve();
  #wrong: Failure | undefined;

  constructor(compiled: Compiled, example: Handle) {
    const { adapter, device } = example.context;
    this.#compiled = compiled;
    this.adapter = adapter;
    this.#device = device;
    this.maxBufferBytes = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
    const Class = example.constructor as new (settings: object) => Handle;
    this.#wrap = (buffer, length) => new Class({ ...example, buffer, output: [length], componentCount: 1 });
    void device.lost.then(({ message }) => {
      this.#wrong = new Failure("lost", `the WebGPU device was lost: ${message || "it was closed"}`);
    });
    // Nothing else says that memory ran out: what has none behind it reads as zeros.
    device.addEventListener("uncapturederror", ({ error }) => {
      const kind = error instanceof GPUOutOfMemoryError ? "memory" : "compile";
      this.#wrong ??= new Failure(kind, `WebGPU says: ${error.message.slice(0, 400)}`);
    });
  }

  run(run: Run<Promised>): Promised {
    this.#check();
    checkLengths(run);
    this.#checkBytes(run.length * 4);
    const kernel = this.#compiled.of(run);
    const inputs = Object.values(run.inputs);
    const handle = this.#inTurn(async () => {
      const handles = await Promise.all(inputs.map((input) => input.handle));
      try {
        return (await kernel(...handles, ...Object.values(run.ints ?? {}))) as Handle;
      } catch (cause) {
        throw this.#wrong ?? new Failure("compile", `the kernel ${run.name} was refused`, cause);
      }
    });
    return { length: run.length, bytes: run.length * 4, handle };
  }

  upload(numbers: Float32Array): Promised {
    this.#check();
    this.#checkBytes(numbers.byteLength);
    const size = Math.max(4, numbers.byteLength);
    const buffer = this.#device.createBuffer({
      size,
      usage: usage.STORAGE | usage.COPY_SRC | usage.COPY_DST,
    });
    this.#device.queue.writeBuffer(buffer, 0, numbers as Float32Array<ArrayBuffer>);
    const handle = Promise.resolve(this.#wrap(buffer, Math.max(1, numbers.length)));
    return { length: numbers.length, bytes: size, handle };
  }

  async fetch({ handle, length }: Promised): Promise<Float32Array> {
    if (length === 0) return new Float32Array(0);
    const device = this.#device;
    const staging = await this.#inTurn(async () => {
      const { buffer } = await handle;
      const staging = device.createBuffer({
        size: length * 4,
        usage: usage.MAP_READ | usage.COPY_DST,
      });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, 0, staging, 0, length * 4);
      device.queue.submit([encoder.finish()]);
      return staging;
    });
    try {
      await staging.mapAsync(mapForReading);
      const numbers = new Float32Array(staging.getMappedRange().slice(0));
      this.#check();
      return numbers;
    } catch (cause) {
      // The device's own promise reports a loss one microtask later.
      await new Promise((resolve) => setTimeout(resolve));
      throw this.#wrong ?? new Failure("lost", "the buffer could not be read", cause);
    } finally {
      staging.destroy();
    }
  }

  free({ handle }: Promised): void {
    void this.#inTurn(async () => (await handle).delete());
  }

  idleBytes(): number {
    return this.#compiled.bytes;
  }

  lost(): boolean {
    return this.#wrong?.kind === "lost";
  }

  /** gpu.js's adapter stays: other devices of the page may use it. */
  close(): void {
    this.#wrong ??= new Failure("lost", "the device was closed");
    void this.#inTurn(async () => this.#compiled.clear());
  }

  #check(): void {
    if (this.#wrong) throw this.#wrong;
  }

  #checkBytes(bytes: number): void {
    if (bytes <= this.maxBufferBytes) return;
    throw new Failure("size", `${bytes} bytes, and this adapter takes ${this.maxBufferBytes} in a buffer`);
  }

  /** Runs `f` when all that was asked for before has run. What fails, fails for who waits for it. */
  #inTurn<T>(f: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(f);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
