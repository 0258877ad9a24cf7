import { DeviceError, disposable } from "@qkv/core";
import type { Device, DeviceMemory, DeviceReport, Kernels } from "@qkv/tensor";
import { scopes } from "@qkv/tensor/devices";
import type { Buffer, Engine } from "./engine.js";
import { Failure } from "./failure.js";
import type { GpuMode } from "./options.js";
import { Store, type Stored } from "./store.js";

export type GpuReport = DeviceReport & {
  readonly mode: GpuMode;
  /** Reason for this mode. */
  readonly why: string;
  /** The adapter's name, where there is one: `ANGLE (NVIDIA, …)`. */
  readonly renderer: string | undefined;
  /** True if the renderer is software on the CPU: its times say nothing about GPUs. */
  readonly software: boolean;
  readonly limits: { readonly maxTextureSize: number | undefined };
  /** Largest difference from the plain device in the self-test, relative to the largest number. */
  readonly selfTestError: number;
  /** Failures on the device whose work was repeated on the plain one (`fallback: true`). */
  readonly fallbacks: readonly { readonly op: string; readonly reason: string }[];
};

export type GpuMemory = DeviceMemory & {
  /** Textures that hold tensors now. */
  readonly textures: number | undefined;
  /** Bytes that compiled kernels keep for their next run. */
  readonly idleBytes: number;
};

export type GpuDevice = Omit<Device, "report" | "memory"> & {
  report(): GpuReport;
  memory(): GpuMemory;
  /** Frees the kernels and the context. The device refuses work from then on. */
  close(): void;
  /** `using device = await gpu()` closes it at the end of the block. */
  [Symbol.dispose](): void;
};

/** Engine, kernels and report of a mode. */
export type Parts<B extends Buffer> = {
  readonly engine: Engine<B>;
  kernels(store: Store<B>): Kernels;
  readonly about: Omit<GpuReport, "name" | "calls" | "fallbacks" | "selfTestError">;
  textures(): number | undefined;
};

export type DeviceOptions = { readonly budgetBytes: number; readonly fallback: boolean };

/**
 * Creates a device of a mode.
 *
 * @returns The device, and a setter for the error of its self-test, which runs on the device.
 */
export function makeDevice<B extends Buffer>(
  { engine, kernels, about, textures }: Parts<B>,
  { budgetBytes, fallback }: DeviceOptions,
): { device: GpuDevice; setSelfTestError(error: number): void } {
  const name = `gpu:${about.mode}`;
  const store = new Store(engine, budgetBytes);
  const calls: Record<string, { device: number; plain: number }> = {};
  const fallbacks: { op: string; reason: string }[] = [];
  let selfTestError = NaN;
  /** The op that ran last: errors of a failed read name it. */
  let lastOp = "none yet";
  const stored = (storage: unknown) => storage as Stored<B>;
  const { scope, recording, own, retain, active } = scopes(
    (storage) => store.release(stored(storage)),
    (storage) => store.setResidency(stored(storage), "evictable"),
  );

  /** The kernel, with failures as `DeviceError`s, or as a fallback to the plain kernel (the result false). */
  const guarded = (op: string, kernel: Kernels[string]): Kernels[string] => {
    return (...call) => {
      lastOp = op;
      try {
        return kernel(...call);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (!fallback) throw deviceError(op, error);
        if (fallbacks.length < 100) fallbacks.push({ op, reason: error.message });
        return false;
      }
    };
  };
  /** The result of a read, with failures as `DeviceError`s. */
  const reading = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      throw deviceError(lastOp, error);
    }
  };

  const table = Object.entries(kernels(store)).map(([op, kernel]) => [op, guarded(op, kernel)] as const);
  const close = () => engine.close();
  const device: GpuDevice = {
    name,
    kernels: Object.fromEntries(table),
    remote: true,
    scope,
    recording,
    retain(storage) {
      retain(storage);
      store.setResidency(stored(storage), "pinned");
    },
    report: () => ({
      name,
      ...about,
      selfTestError,
      calls: structuredClone(calls),
      fallbacks: structuredClone(fallbacks),
    }),
    memory: () => ({
      bytes: store.bytes,
      peakBytes: store.peakBytes,
      textures: textures(),
      idleBytes: engine.idleBytes(),
    }),
    allocate(dtype, length) {
      reading(() => store.trim());
      const storage = store.make(dtype, length, undefined, active() ? "scope" : "evictable");
      own(storage);
      return storage;
    },
    fromHost: (dtype, array) => store.make(dtype, array.length, array, "evictable"),
    array: (storage, use) => reading(() => store.array(stored(storage), use)),
    fetch: (storage) =>
      store.fetch(stored(storage)).catch((error: unknown) => {
        throw error instanceof Failure ? deviceError(lastOp, error) : error;
      }),
    countCall(op, ranOn) {
      (calls[op] ??= { device: 0, plain: 0 })[ranOn] += 1;
    },
    close,
    ...disposable(close),
  };
  return { device, setSelfTestError: (error) => void (selfTestError = error) };
}

const fixes: Record<Failure["kind"], string> = {
  lost: "make a new device with `gpu()` and move the parameters there again; what was only on the GPU is gone. Fewer or smaller tensors, and fewer pages with WebGL, make it rarer.",
  size: "split the work into smaller parts, or do this part on another device: `tensor.to(js())`.",
  compile:
    "please report the message with the renderer's name; `gpu({ fallback: true })` does such work on the plain device.",
  memory:
    "work inside of `device.scope(() => …)` so that intermediate results are freed, or on smaller parts.",
};

function deviceError(op: string, failure: Failure): DeviceError {
  return new DeviceError({
    fn: op,
    argument: "device",
    received: failure,
    expected: "a GPU that finishes its work",
    fix: fixes[failure.kind],
    cause: failure.cause,
  });
}
