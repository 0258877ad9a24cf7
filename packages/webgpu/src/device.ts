import { disposable } from "@qkv/core";
import type { Device, DeviceMemory, DeviceReport, Kernels } from "@qkv/tensor";
import { scopes } from "@qkv/tensor/devices";
import { compileAhead, type CompileOptions } from "./compile-ahead.js";
import type { Context } from "./context.js";
import { Engine } from "./engine.js";
import { mostFlopsAt } from "./measure-rate.js";
import type { Opened } from "./open.js";
import type { CheckedOptions } from "./options.js";
import { webGpuName } from "./parse-name.js";
import { Store, type Stored } from "./store.js";

export type WebGpuReport = DeviceReport & {
  /** The adapter's name, as far as the engine tells it. */
  readonly adapter: string;
  /** True if the adapter is software on the CPU: its times say nothing about GPUs. */
  readonly software: boolean;
  /** True if sums across a workgroup use subgroup operations. */
  readonly subgroups: boolean;
  /** True if weights in float16 and bfloat16 keep their type on the GPU. */
  readonly float16: boolean;
  /** Largest distance of the self-test from the plain device, as a share of the largest number. */
  readonly selfTestError: number;
  /**
   * FLOPs per second of a product of matrices when the device was opened; of attention, where the device has no other
   * kernels. Attention is split into dispatches of about 200 ms at half this rate, because browsers abort long ones.
   */
  readonly flopsPerSecond: number;
  /** Shaders that were compiled, dispatches that were recorded, submissions and reads, since the device was opened. */
  readonly counts: {
    readonly pipelines: number;
    readonly dispatches: number;
    readonly submissions: number;
    readonly reads: number;
  };
};

export type WebGpuMemory = DeviceMemory & {
  /** Bytes of freed buffers that wait for their next use. */
  readonly idleBytes: number;
};

export type WebGpuDevice = Omit<Device, "report" | "memory"> & {
  report(): WebGpuReport;
  memory(): WebGpuMemory;
  /**
   * Compiles the shaders of calls before they are made. `f` runs once as a dry run: operations request their shaders
   * and compute nothing. It must create the tensors that it changes (a cache, copies of parameters), and its results
   * cannot be used. Missing shaders are then compiled while the program goes on.
   *
   * @param f - A synchronous function that makes the calls.
   * @returns Number of shaders that were compiled.
   * @throws {DeviceError} If a shader is refused, or the device is lost or closed meanwhile. The signal's reason, when it
   *   aborts; shaders that were compiled by then are kept.
   */
  compile(f: () => unknown, options?: CompileOptions): Promise<number>;
  /** Waits until the GPU has finished all work, and throws an error that occurred meanwhile. */
  finish(): Promise<void>;
  /**
   * Opens the GPU again after it was lost. Tensors whose numbers are on the host are uploaded again when used; reading
   * those that were only on the GPU throws.
   */
  restart(): Promise<void>;
  /** Destroys the GPU's memory. The device refuses work from then on. */
  close(): void;
  /** `using device = await webgpu()` closes it at the end of the block. */
  [Symbol.dispose](): void;
};

/** Types of 16 bits, of weights, keys and values that are read in place. */
const halfTypes = ["bfloat16", "float16"] as const;

/**
 * A device on an opened GPU.
 *
 * @param kernelsOf - Makes its kernels, by op name.
 * @param open - Opens the GPU, now and after a restart.
 */
export async function makeDevice(
  kernelsOf: (context: Context) => Kernels,
  open: () => Promise<Opened>,
  { budgetBytes, subgroups, float16 }: Pick<CheckedOptions, "budgetBytes" | "subgroups" | "float16">,
): Promise<{ device: WebGpuDevice; tested(error: number): void; measured(rate: number): void }> {
  const name = webGpuName({ subgroups, float16 });
  const store = new Store(new Engine(await open(), budgetBytes));
  const calls: Record<string, { device: number; plain: number }> = {};
  let [selfTestError, flopsPerSecond] = [NaN, NaN];
  const of = (storage: unknown) => storage as Stored;
  /** Scopes that are running. */
  let depth = 0;
  const { scope, recording, own, retain } = scopes((storage) => store.release(storage));
  const context: Context = {
    store,
    get engine() {
      return store.engine;
    },
  };
  const close = () => store.engine.close();
  const device: WebGpuDevice = {
    name,
    kernels: named(kernelsOf(context), store),
    ...(float16 && { weightTypes: halfTypes, keyValueTypes: halfTypes }),
    remote: true,
    scope(f) {
      depth += 1;
      try {
        return scope(f);
      } finally {
        depth -= 1;
        if (depth === 0) store.freeUploads();
      }
    },
    recording,
    retain(storage) {
      retain(storage);
      store.pin(of(storage));
    },
    report: () => ({
      name,
      adapter: store.engine.adapter.name,
      software: store.engine.adapter.software,
      subgroups: store.engine.subgroups,
      float16,
      selfTestError,
      flopsPerSecond,
      counts: { ...store.engine.counts },
      calls: structuredClone(calls),
    }),
    memory: () => ({
      bytes: store.engine.buffers.liveBytes,
      peakBytes: store.engine.buffers.peakBytes,
      idleBytes: store.engine.buffers.idleBytes,
    }),
    allocate(dtype, length) {
      const storage = store.make(dtype, length, undefined);
      own(storage);
      return storage;
    },
    fromHost: (dtype, array) => store.make(dtype, array.length, array),
    array: (storage, use) => store.array(of(storage), use),
    fetch: (storage) => store.fetch(of(storage)),
    isPending: (storage) => store.isPending(of(storage)),
    countCall(op, ranOn) {
      (calls[op] ??= { device: 0, plain: 0 })[ranOn] += 1;
    },
    compile: (f, options) => compileAhead(device, store.engine, f, options),
    finish: () => store.engine.finish("finish"),
    async restart() {
      const { mostFlops } = store.engine;
      store.engine.close();
      store.engine = new Engine(await open(), budgetBytes);
      store.engine.mostFlops = mostFlops;
    },
    close,
    ...disposable(close),
  };
  return {
    device,
    tested: (error) => void (selfTestError = error),
    measured(rate) {
      flopsPerSecond = rate;
      store.engine.mostFlops = mostFlopsAt(rate);
    },
  };
}

/** The kernels, each of which tells the store its name while it runs. */
function named(kernels: Kernels, store: Store): Kernels {
  return Object.fromEntries(
    Object.entries(kernels).map(([op, kernel]) => [
      op,
      (...call: never[]) => {
        store.op = op;
        return kernel(...call);
      },
    ]),
  );
}
