/**
 * The contract between tensors and devices: a device, its kernels and its memory. Types only.
 */
import type { DType, HalfType, TypedArray } from "@qkv/core";

/** One allocation on a device. Host devices hold a typed array; others add fields of their own. */
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
 * A kernel computes outputs from inputs. It is called with shapes already checked; outputs are packed row-major. Those of
 * a plain kernel are zeroed; a device's kernel writes every number, or returns `false`: the plain kernel runs then.
 */
export type Kernel<Attributes = unknown> = (
  inputs: readonly View[],
  outputs: readonly View[],
  attributes: Attributes,
) => unknown;

/**
 * A device's faster kernels, by op name: a {@link Kernel}, or for an op whose inputs have names a function of the call and
 * its outputs. What the device lacks runs the op's plain kernel.
 */
export type Kernels = { readonly [op: string]: (...call: never[]) => unknown };

export type DeviceReport = {
  readonly name: string;
  /** Number of runs of each op: on a kernel of the device, and on the plain kernel. */
  readonly calls: Readonly<Record<string, { device: number; plain: number }>>;
};

/** Bytes allocated now and at most, where the device can tell; the plain device leaves memory to the collector. */
export type DeviceMemory = {
  readonly bytes: number | undefined;
  readonly peakBytes: number | undefined;
  /** Bytes that may be allocated at once, where there is such a limit. */
  readonly maxBytes?: number;
};

export type Device = {
  readonly name: string;
  readonly kernels: Partial<Kernels>;
  /** Runs `f`; intermediate tensors made inside belong to the scope, and what `f` returns leaves it. Synchronous. */
  scope<T>(f: () => T): T;
  /** Runs `f` so that scopes inside of it keep what backward will need for the scope around. */
  recording<T>(f: () => T): T;
  /** Removes an allocation from every scope: caches and optimizer state live as long as they are reachable. */
  retain(storage: Storage): void;
  report(): DeviceReport;
  memory(): DeviceMemory;
  /**
   * A new allocation, which the innermost scope owns. Its contents are undefined where `zeroed` is false; default: zeros.
   * An error for want of memory names `fn`.
   */
  allocate(dtype: DType, length: number, zeroed?: boolean, fn?: string): Storage;
  /** Host numbers as an allocation that no scope owns. The array is the device's from then on. */
  fromHost(dtype: DType, array: TypedArray): Storage;
  /**
   * The numbers of an allocation, in place on host devices. Others fetch them, and take what is written there as the
   * numbers from then on, unless `use` says that nothing is.
   */
  array(storage: Storage, use?: "read"): TypedArray;
  /** True where the host cannot reach the numbers, so that kernels of the device get no arrays. */
  readonly remote?: true;
  /** 16-bit types in which the device's kernel of `linear` reads weights. Default: none, and `linear` casts such weights. */
  readonly weightTypes?: readonly HalfType[];
  /** 16-bit types in which the device's kernel of attention reads keys and values. Default: none, and `attention` casts them. */
  readonly keyValueTypes?: readonly HalfType[];
  /** Reads an allocation of a remote device asynchronously. */
  fetch?(storage: Storage): Promise<TypedArray>;
  /**
   * True for numbers that are on the device alone, where it gives them to `fetch` and to nothing else: `array` throws. Absent
   * on devices whose numbers can be had at once.
   */
  isPending?(storage: Storage): boolean;
  /** True for an allocation in the device's own memory, which moves or is reused: the host reads a copy of it. Only on devices with memory that the host can reach. */
  isDeviceMemory?(storage: Storage): boolean;
  /**
   * Of a device that `vmap` makes: true for those under it, whose tensors are shared by all examples and meet its own in an op.
   * Absent on all others.
   */
  isOver?(device: Device): boolean;
  /** Counts one run of an op, for the report. */
  countCall(op: string, ranOn: "device" | "plain"): void;
};
