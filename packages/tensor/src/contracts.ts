/**
 * The contract between tensors and devices: a device, its kernels and its memory. Types only.
 */
import type { DType, HalfType, TypedArray } from "@qkv/core";

/** One allocation on a device. Host devices store a typed array; other devices add their own fields. */
export type Storage = { readonly dtype: DType; readonly length: number };

/** A tensor as a kernel reads it: element `(i, j)` is `array[offset + i * strides[0] + j * strides[1]]`. */
export type View = {
  /** On a remote device, reading this property fetches the numbers. */
  readonly array: TypedArray;
  readonly storage: Storage;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
};

/**
 * A kernel computes outputs from inputs. Shapes are already checked; outputs are contiguous. Plain kernels get zeroed outputs; a
 * device's kernel must write every number, or return `false` to let the plain kernel run.
 */
export type Kernel<Attributes = unknown> = (
  inputs: readonly View[],
  outputs: readonly View[],
  attributes: Attributes,
) => unknown;

/**
 * The kernels of a device, by op name: a {@link Kernel}, or for an op with named inputs a function of the call and its outputs. An
 * op without a kernel here runs its plain kernel.
 */
export type Kernels = { readonly [op: string]: (...call: never[]) => unknown };

export type DeviceReport = {
  readonly name: string;
  /** Number of runs of each op on the device's kernel, and on the plain kernel. */
  readonly calls: Readonly<Record<string, { device: number; plain: number }>>;
};

/** Bytes in use, and their maximum so far, if the device knows them. The plain device leaves memory to the garbage collector. */
export type DeviceMemory = {
  readonly bytes: number | undefined;
  readonly peakBytes: number | undefined;
  /** Largest number of bytes in use, if there is a limit. */
  readonly maxBytes?: number;
};

export type Device = {
  readonly name: string;
  readonly kernels: Partial<Kernels>;
  /** Runs `f`, and frees the tensors that were created inside, except for those that `f` returns. Synchronous. */
  scope<T>(f: () => T): T;
  /** Runs `f` without freeing tensors at the end of inner scopes, because backward needs them: the enclosing scope frees them. */
  recording<T>(f: () => T): T;
  /** Removes an allocation from all scopes: caches and optimizer state are kept as long as they are reachable. */
  retain(storage: Storage): void;
  report(): DeviceReport;
  memory(): DeviceMemory;
  /**
   * A new allocation, owned by the innermost scope. Its contents are undefined if `zeroed` is false; default: zeros. If memory
   * runs out, the error names `fn`.
   */
  allocate(dtype: DType, length: number, zeroed?: boolean, fn?: string): Storage;
  /** An allocation with the numbers of a host array, which no scope owns. The caller must not use the array afterwards. */
  fromHost(dtype: DType, array: TypedArray): Storage;
  /**
   * The numbers of an allocation. On host devices this is the allocation itself. Remote devices read them back; what is then
   * written to the array replaces the numbers on the device, unless `use` is `"read"`.
   */
  array(storage: Storage, use?: "read"): TypedArray;
  /** True if the host cannot access the device's memory, so that its kernels get no arrays. */
  readonly remote?: true;
  /** 16-bit dtypes in which the device's kernel of `linear` reads weights. Default: none, so `linear` casts such weights. */
  readonly weightTypes?: readonly HalfType[];
  /** 16-bit dtypes in which the device's kernel of attention reads keys and values. Default: none, so `attention` casts them. */
  readonly keyValueTypes?: readonly HalfType[];
  /** Reads an allocation of a remote device asynchronously. */
  fetch?(storage: Storage): Promise<TypedArray>;
  /**
   * True for an allocation whose numbers are only on the device and only available by `fetch`, so that `array` throws. Absent on
   * devices that can be read synchronously.
   */
  isPending?(storage: Storage): boolean;
  /** True for an allocation in the device's own memory, which may move or be reused, so that `tensor.data` is a copy. Only on devices whose memory the host can access. */
  isDeviceMemory?(storage: Storage): boolean;
  /**
   * Only on devices that `vmap` creates: true for the devices under it, whose tensors all examples share, so that ops may combine
   * them with its own.
   */
  isOver?(device: Device): boolean;
  /** Counts a run of an op, for the report. */
  countCall(op: string, ranOn: "device" | "plain"): void;
};
