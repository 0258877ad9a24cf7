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
} from "@qkv/core";
import { allocateResident } from "./allocate-resident.js";
import type { Device, Storage } from "./contracts.js";
import type { Node } from "./tape.js";

declare const __VERSION__: string;
const brand = defineBrand("tensor/Tensor", 1, __VERSION__);

/** Layout of a tensor's elements in its storage. */
export type Layout = { readonly strides: readonly number[]; readonly offset: number };

/**
 * Numbers with a shape, a type and a device. Operations are functions (`add(a, b)`); a tensor itself only tells
 * what it is, is read, is moved and is printed. Several tensors may be views of one storage.
 *
 * Make one with `tensor`, `zeros`, `randn`.
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
   * The numbers in row-major order, on devices whose memory the program can reach (`js`, `wasm`). A copy where they lie
   * in the device's own memory (inside a scope, or moved there with `to`), else not: do not write to it. On a GPU it
   * keeps the program waiting until they are there: `read` does not.
   */
  get data(): TypedArray {
    return this.#packed(this.device.array(this.storage, "read"));
  }

  /** The device's own array, in which this tensor's numbers lie by its strides: for kernels. `data` is for all others. */
  get array(): TypedArray {
    return this.device.array(this.storage);
  }

  /** The numbers in row-major order, on every device. */
  async read(): Promise<TypedArray> {
    const { device, storage } = this;
    return device.fetch ? this.#packed(await device.fetch(storage)) : this.data;
  }

  #packed(array: TypedArray): TypedArray {
    const own = readPacked(this, array);
    return own.buffer === array.buffer && this.device.isDeviceMemory?.(this.storage) ? own.slice() : own;
  }

  /** The same numbers nested as the shape is: `[[1, 2], [3, 4]]`, a plain number for the shape []. Bools as bools. */
  toNested(): Nested {
    return nest(this);
  }

  /** The same numbers on another device, where they stay: parameters are moved once. */
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

  /** Printed as numpy prints: rows under each other, long axes cut. */
  toString(): string {
    return format(this);
  }

  /** The text that `console.log` in Node prints. */
  [inspectKey](): string {
    return inspect(this);
  }

  get [brand.key]() {
    return brand.stamp;
  }
}

/**
 * Returns true for a tensor, whichever copy of the package made it.
 *
 * @throws {VersionError} If it comes from a version of the package that this one cannot work with.
 */
export function isTensor(value: unknown): value is Tensor {
  // Nearly all come from this copy, and a step of decoding asks some hundred times.
  return value instanceof Tensor || brand.has(value);
}
