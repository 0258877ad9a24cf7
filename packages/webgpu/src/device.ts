import { disposable } from "@qkv/core";
import type { Device, DeviceMemory, DeviceReport, Kernels } from "@qkv/tensor";
import { scopes } from "@qkv/tensor/devices";
import { compileAhead, type CompileOptions } from "./compile-ahead.js";
import type { Context } from "./context.js";
import { Engine } from "./engine.js";
import { maxDispatchFlopsAt } from "./measure-rate.js";
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
  /** Largest difference from the plain device in the self-test, relative to the largest number. */
  readonly selfTestError: number;
  /**
   * Rate of matrix products in FLOPs per second, measured at opening; of attention if the device has no other kernels.
   * Attention is split into dispatches of about 200 ms at half this rate, because browsers abort long ones.
   */
  readonly flopsPerSecond: number;
  /** Numbers of compiled shaders, recorded dispatches, submissions and reads since the device was opened. */
  readonly counts: {
    readonly pipelines: number;
    readonly dispatches: number;
    readonly submissions: number;
    readonly reads: number;
  };
};

export type WebGpuMemory = DeviceMemory & {
  /** Bytes of freed buffers that are kept for reuse. */
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

/** The 16-bit dtypes in which kernels read weights, keys and values in place. */
const halfTypes = ["bfloat16", "float16"] as const;

/**
 * A device on an opened GPU.
 *
 * @param createKernels - Creates the kernels, by op name.
 * @param open - Opens the GPU; called again by `restart`.
 */
export async function makeDevice(
  createKernels: (context: Context) => Kernels,
  open: () => Promise<Opened>,
  { budgetBytes, subgroups, float16 }: Pick<CheckedOptions, "budgetBytes" | "subgroups" | "float16">,
): Promise<{ device: WebGpuDevice; tested(error: number): void; measured(rate: number): void }> {
  const name = webGpuName({ subgroups, float16 });
  const store = new Store(new Engine(await open(), budgetBytes));
  const calls: Record<string, { device: number; plain: number }> = {};
  let [selfTestError, flopsPerSecond] = [NaN, NaN];
  const stored = (storage: unknown) => storage as Stored;
  /** Number of open scopes. */
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
    kernels: withOpNames(createKernels(context), store),
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
      store.pin(stored(storage));
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
    array: (storage, use) => store.array(stored(storage), use),
    fetch: (storage) => store.fetch(stored(storage)),
    isPending: (storage) => store.isPending(stored(storage)),
    countCall(op, ranOn) {
      (calls[op] ??= { device: 0, plain: 0 })[ranOn] += 1;
    },
    compile: (f, options) => compileAhead(device, store.engine, f, options),
    finish: () => store.engine.finish("finish"),
    async restart() {
      const { maxDispatchFlops } = store.engine;
      store.engine.close();
      store.engine = new Engine(await open(), budgetBytes);
      store.engine.maxDispatchFlops = maxDispatchFlops;
    },
    close,
    ...disposable(close),
  };
  return {
    device,
    tested: (error) => void (selfTestError = error),
    measured(rate) {
      flopsPerSecond = rate;
      store.engine.maxDispatchFlops = maxDispatchFlopsAt(rate);
    },
  };
}

/** The kernels, each of which sets the name of the running operation. */
function withOpNames(kernels: Kernels, store: Store): Kernels {
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
