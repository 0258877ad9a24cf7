import {
  checkDevice,
  defineBrand,
  type DType,
  format,
  inspect,
  inspectKey,
  nest,
  type Nested,
  readPacked,
  type Shape,
  stridesOf,
  type TypedArray,
  type Brand,
  type Stamp,
} from "@qkv/core";
import { allocateResident } from "./allocate-resident.js";
import type { Device, Storage } from "./contracts.js";
import type { Node } from "./tape.js";

declare const __VERSION__: string;
const brand: Brand = defineBrand("tensor/Tensor", 1, __VERSION__);

/** Layout of a tensor's elements in its storage. */
export type Layout = { readonly strides: readonly number[]; readonly offset: number };

/**
 * Numbers with a shape, a dtype and a device. Operations are functions, `add(a, b)`; a tensor itself only has methods to read, move and
 * print it. Several tensors may be views of one storage.
 *
 * Create one with `tensor`, `zeros` or `randn`.
 */
export class Tensor {
  declare readonly shape: Shape;
  declare readonly dtype: DType;
  declare readonly device: Device;
  /** For devices and kernels. */
  declare readonly storage: Storage;
  declare readonly strides: readonly number[];
  declare readonly offset: number;
  /** Its nodes on the tapes that record it; undefined outside `grad`. */
  declare nodes: Node[] | undefined;

  constructor(
    device: Device,
    storage: Storage,
    shape: Shape,
    { strides, offset }: Layout = { strides: stridesOf(shape), offset: 0 },
  ) {
    this.shape = shape;
    this.dtype = storage.dtype;
    this.device = device;
    this.storage = storage;
    this.strides = strides;
    this.offset = offset;
    this.nodes = undefined;
  }

  /**
   * The numbers in row-major order, on devices whose memory the host can access (`js`, `wasm`). It is a copy if they are in the
   * device's own memory (inside a scope, or moved there with `to`), otherwise possibly the storage itself: do not write to it. On a
   * GPU it blocks the program until the numbers are read; `read` does not block.
   */
  get data(): TypedArray {
    return this.#packed(this.device.array(this.storage, "read"));
  }

  /** The array of the storage, in which the tensor's numbers are located by its offset and strides. For kernels; other code uses `data`. */
  get array(): TypedArray {
    return this.device.array(this.storage);
  }

  /** Reads the numbers in row-major order, on every device. */
  async read(): Promise<TypedArray> {
    const { device, storage } = this;
    return device.fetch ? this.#packed(await device.fetch(storage)) : this.data;
  }

  #packed(array: TypedArray): TypedArray {
    const packed = readPacked(this, array);
    const isView = packed.buffer === array.buffer;
    return isView && this.device.isDeviceMemory?.(this.storage) ? packed.slice() : packed;
  }

  /** The numbers as nested lists: `[[1, 2], [3, 4]]`, a number for shape []. Bools are booleans. */
  toNested(): Nested {
    return nest(this);
  }

  /** A resident copy on another device: parameters are moved once. */
  to(device: Device): Tensor {
    if (device === this.device) return this;
    checkDevice("to", device);
    const { dtype, storage } = this;
    const numbers = readPacked(this, this.device.array(storage, "read"));
    if (device.remote) {
      const moved = device.fromHost(dtype, numbers.slice());
      device.retain(moved);
      return new Tensor(device, moved, this.shape);
    }
    const moved = allocateResident(device, dtype, numbers.length, false);
    device.array(moved).set(numbers);
    return new Tensor(device, moved, this.shape);
  }

  /** Text as numpy prints it, with long axes abbreviated. */
  toString(): string {
    return format(this);
  }

  /** The text that `console.log` in Node prints. */
  [inspectKey](): string {
    return inspect(this);
  }

  get [brand.key](): Stamp {
    return brand.stamp;
  }
}

/**
 * Returns true for a tensor of any copy of the package.
 *
 * @throws {VersionError} If it comes from an incompatible version of the package.
 */
export function isTensor(value: unknown): value is Tensor {
  // A fast path: almost all tensors come from this copy, and each decoding step makes some hundred checks.
  return value instanceof Tensor || brand.has(value);
}
