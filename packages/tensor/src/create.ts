import {
  allocateArray,
  checkDType,
  checkShape,
  type DType,
  isPacked,
  type Nested,
  refuseShape,
  type Shape,
  sizeOf,
  toHalfBits,
  type TypedArray,
} from "@qkv/core";
import type { Device } from "./contracts.js";
import { js } from "./js-device.js";
import { Tensor } from "./tensor.js";

/** What a new tensor is made of, besides its numbers. */
export type TensorOptions = {
  /** Length of each axis, leftmost first. Default: the nesting of the values, or one axis for flat ones. */
  shape?: Shape;
  /** Default: the type of a typed array, `bool` for booleans, else `float32`. */
  dtype?: DType;
  /** Default: the plain device. */
  device?: Device;
};

/**
 * A tensor of the values given, copied.
 *
 * @param values - A number, numbers nested to any depth, flat numbers with a `shape`, or a typed array. For the
 *   16-bit types, a Uint16Array holds bit patterns and anything else numbers, which are rounded to the nearest, ties
 *   to even.
 * @throws {ShapeError} If the values do not fill the shape, or are nested unevenly.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 *
 * tensor([[1, 2, 3], [4, 5, 6]]).shape; // => [2, 3]
 * tensor([1, 2, 3, 4], { shape: [2, 2] }).toNested(); // => [[1, 2], [3, 4]]
 * tensor([true, false]).dtype; // => "bool"
 * ```
 */
export function tensor(values: Nested | TypedArray | readonly number[], options: TensorOptions = {}): Tensor {
  const dtype = checkDType("tensor", options.dtype ?? naturalType(values));
  const nested = Array.isArray(values) ? nesting(values) : ArrayBuffer.isView(values) ? [values.length] : [];
  const shape = checkShape("tensor", options.shape ?? nested);
  const flat: ArrayLike<number | boolean> = ArrayBuffer.isView(values)
    ? (values as ArrayLike<number>)
    : ([values] as readonly number[]).flat(Infinity);
  if (flat.length !== sizeOf(shape)) {
    refuseShape(
      "tensor",
      "values",
      `${flat.length} numbers`,
      `${sizeOf(shape)} for the shape [${shape.join(", ")}]`,
      "give as many numbers as the product of the shape's lengths.",
    );
  }
  // Bit patterns come as they are read from a 16-bit tensor.
  const bits = isPacked(dtype) && values instanceof Uint16Array;
  const array = bits ? values.slice() : encode(flat, dtype);
  return place(array, dtype, shape, options.device);
}

/**
 * A tensor of zeros.
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 *
 * zeros([2, 2]).toNested(); // => [[0, 0], [0, 0]]
 * ```
 */
export function zeros(shape: Shape, options: Omit<TensorOptions, "shape"> = {}): Tensor {
  return full(shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: Omit<TensorOptions, "shape"> = {}): Tensor {
  return full(shape, 1, options);
}

/** A tensor that holds one value everywhere. */
export function full(shape: Shape, value: number, options: Omit<TensorOptions, "shape"> = {}): Tensor {
  const dtype = checkDType("full", options.dtype ?? "float32");
  const array = allocateArray(dtype, sizeOf(checkShape("full", shape)));
  if (value !== 0) array.fill(encode([value], dtype)[0]!);
  return place(array, dtype, shape, options.device);
}

/**
 * The numbers `start, start + 1, …`, `length` of them, in one axis.
 *
 * @example
 * ```ts
 * import { arange } from "@qkv/tensor";
 *
 * arange(4, { start: 2 }).toNested(); // => [2, 3, 4, 5]
 * ```
 */
export function arange(
  length: number,
  options: { start?: number; dtype?: DType; device?: Device } = {},
): Tensor {
  const dtype = checkDType("arange", options.dtype ?? "float32");
  const [size, start] = [sizeOf(checkShape("arange", [length])), options.start ?? 0];
  const array = encode(
    Array.from({ length: size }, (_, i) => start + i),
    dtype,
  );
  return place(array, dtype, [length], options.device);
}

/** A tensor of a fresh array, on a device. */
export function place(array: TypedArray, dtype: DType, shape: Shape, device: Device = js()): Tensor {
  return new Tensor(device, device.adopt(dtype, array), [...shape]);
}

/** Numbers as a type stores them. */
function encode(values: ArrayLike<number | boolean>, dtype: DType): TypedArray {
  const array = allocateArray(dtype, values.length);
  if (dtype === "bool") for (let i = 0; i < values.length; i++) array[i] = values[i] ? 1 : 0;
  else if (isPacked(dtype))
    for (let i = 0; i < values.length; i++) array[i] = toHalfBits(Number(values[i]), dtype);
  else array.set(values as ArrayLike<number>);
  return array;
}

function naturalType(values: unknown): DType {
  if (values instanceof Float64Array) return "float64";
  if (values instanceof Int32Array) return "int32";
  if (values instanceof Uint8Array) return "uint8";
  if (values instanceof Int8Array) return "int8";
  let first = values;
  while (Array.isArray(first)) first = first[0];
  return typeof first === "boolean" ? "bool" : "float32";
}

/** The shape of nested lists, which must be even. */
function nesting(values: readonly unknown[]): number[] {
  const shapes = values.map((value) => (Array.isArray(value) ? nesting(value) : []));
  const first = shapes[0] ?? [];
  const odd = shapes.find(
    (shape) => shape.length !== first.length || shape.some((length, i) => length !== first[i]),
  );
  if (odd) {
    refuseShape(
      "tensor",
      "values",
      `a list of parts of the shapes [${first.join(", ")}] and [${odd.join(", ")}]`,
      "parts of one shape",
      "make all rows equally long, or pad the short ones.",
    );
  }
  return [values.length, ...first];
}
