import {
  allocateArray,
  checkDevice,
  checkDType,
  checkFits,
  checkOptions,
  checks,
  checkShape,
  type DType,
  encodeNumbers,
  isPacked,
  naturalType,
  type Nested,
  nestedShape,
  type OptionName,
  refuseShape,
  type Shape,
  sizeOf,
  type TypedArray,
} from "@qkv/core";
import type { Device } from "./contracts.js";
import { js } from "./js-device.js";
import { run } from "./op.js";
import { concatOp } from "./ops/concat.js";
import { reshaped } from "./ops/reshape.js";
import { isTensor, Tensor } from "./tensor.js";

/** Values of a tensor: numbers nested in lists, a typed array, or tensors nested in lists. */
export type TensorValues =
  | Nested
  | TypedArray
  | BigInt64Array
  | BigUint64Array
  | readonly number[]
  | readonly (Tensor | readonly Tensor[])[];

/** Options of a new tensor. */
export type TensorOptions = {
  /** Length of each axis, leftmost first. Default: the nesting of the values, or one axis for flat ones. */
  shape?: Shape;
  /** Default: the type of a typed array, `bool` for booleans, else `float32`. */
  dtype?: DType;
  /** Default: the plain device. */
  device?: Device;
};

/**
 * A tensor with a copy of the given values.
 *
 * @param values - A number, numbers nested to any depth, flat numbers with a `shape`, a typed array, or tensors in
 *   lists, which are stacked. A BigInt64Array, such as ids from ONNX Runtime, becomes int32. For 16-bit dtypes, a
 *   Uint16Array has bit patterns; other values are numbers, which are rounded to the nearest, ties to even.
 * @throws {ArgumentError} If a value is not a number, or does not fit an integer dtype.
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
export function tensor(values: TensorValues, options?: TensorOptions): Tensor {
  const checked = creationOptions("tensor", options, "shape");
  const array = ArrayBuffer.isView(values) ? elements(values) : undefined;
  const flat = array ?? [];
  const nested = array ? [array.length] : nestedShape("tensor", values, flat as unknown[]);
  if (isTensor(flat[0])) return stacked(values, checked);
  const dtype = checkDType("tensor", checked.dtype ?? naturalType(array ?? flat[0]));
  const shape = checkShape("tensor", checked.shape ?? nested);
  if (flat.length !== sizeOf(shape)) {
    refuseShape(
      "tensor",
      "values",
      `${flat.length} numbers`,
      `${sizeOf(shape)} for the shape [${shape.join(", ")}]`,
      "give as many numbers as the product of the shape's lengths.",
    );
  }
  return createTensor("tensor", dtype, shape, checked.device, (array) => {
    // Bit patterns come as they are read from a 16-bit tensor.
    if (isPacked(dtype) && values instanceof Uint16Array) array.set(values);
    else encodeNumbers("tensor", flat, dtype, array);
  });
}

/** The elements of a typed array. Refuses a DataView, which has none. */
function elements(values: ArrayBufferView): ArrayLike<number | bigint> {
  if (!(values instanceof DataView)) return values as unknown as ArrayLike<number | bigint>;
  return checks("tensor").refuse({ argument: "values", received: values, ...wanted });
}

const wanted = {
  expected: "a number, a typed array, or numbers nested in lists",
  fix: "give numbers, such as [[1, 2], [3, 4]].",
};

/** Stacks tensors nested in lists: each list is an axis. The dtype and device are those of the tensors. */
function stacked(values: unknown, tensorOptions: TensorOptions): Tensor {
  const check = checks("tensor", wanted);
  for (const [argument, received] of Object.entries(tensorOptions))
    check.refuse({
      argument,
      received,
      expected: "left out where tensors are stacked",
      fix: "`cast`, `reshape` or move the result.",
    });
  const stackNested = (value: unknown): Tensor => {
    if (Array.isArray(value)) {
      const parts = value.map(stackNested);
      for (const part of parts) checkFits("tensor", "values", part, parts[0]!, "as the first is", wanted.fix);
      return run(
        concatOp,
        parts.map((part) => reshaped(part, [1, ...part.shape])),
        { axis: 0 },
      );
    }
    if (isTensor(value)) return value;
    return check.refuse({
      argument: "values",
      received: value,
      expected: "tensors alone, as the first is one",
    });
  };
  if (Array.isArray(values)) return stackNested(values);
  const fix = "use it as it is; `cast` gives it another type, `reshape` another shape, `to` another device.";
  return check.refuse({ argument: "values", received: values, fix });
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
export function zeros(shape: Shape, options?: Omit<TensorOptions, "shape">): Tensor {
  return filled("zeros", shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options?: Omit<TensorOptions, "shape">): Tensor {
  return filled("ones", shape, 1, options);
}

/** A tensor filled with one value. */
export function full(shape: Shape, value: number, options?: Omit<TensorOptions, "shape">): Tensor {
  return filled("full", shape, value, options);
}

function filled(fn: string, shape: Shape, value: number, options?: Omit<TensorOptions, "shape">): Tensor {
  const { dtype = "float32", device } = creationOptions(fn, options);
  const [stored] = encodeNumbers(fn, [value], checkDType(fn, dtype));
  return createTensor(fn, dtype, checkShape(fn, shape), device, (array) => {
    // A new array is zeroed already, and its memory pages are allocated only when they are used.
    if (stored !== 0 || device?.isDeviceMemory) array.fill(stored!);
  });
}

/** Checks the options of a function that creates a tensor. */
export function creationOptions<T extends { dtype?: DType; device?: Device }>(
  fn: string,
  requested: T | undefined,
  ...names: OptionName<T>[]
): T {
  const options = checkOptions(fn, requested, [...names, ...(["dtype", "device"] as OptionName<T>[])]);
  if (options.device !== undefined) checkDevice(fn, options.device);
  return options;
}

/**
 * A tensor of one axis with `length` numbers `start, start + 1, …`; or, with two or three numbers, from `start` up to but excluding
 * `stop` in steps of `step`.
 *
 * @param length - 0 or more.
 * @param options - `start`: default 0, only with a length. `dtype`: default float32.
 * @throws {ArgumentError} If the step is 0, or a number does not fit the dtype.
 *
 * @example
 * ```ts
 * import { arange } from "@qkv/tensor";
 *
 * arange(4, { start: 2 }).toNested(); // => [2, 3, 4, 5]
 * arange(2, 4).toNested(); // => [2, 3]
 * arange(1, 0, -0.25).toNested(); // => [1, 0.75, 0.5, 0.25]
 * ```
 */
export function arange(length: number, options?: { start?: number } & RangeOptions): Tensor;
export function arange(start: number, stop: number, step?: number, options?: RangeOptions): Tensor;
export function arange(
  first: number,
  second?: number | ({ start?: number } & RangeOptions),
  step = 1,
  last?: RangeOptions,
): Tensor {
  const check = checks("arange");
  if (typeof second !== "number") {
    const { start = 0, dtype, device } = creationOptions("arange", second, "start");
    check.whole({ length: first }, { min: 0 });
    check.finite({ start });
    return numbersFrom("arange", first, (i) => start + i, { dtype, device });
  }
  check.finite({ start: first, stop: second, step });
  check.each({ step }, (value) => value !== 0, "a step that is not 0", "a negative one counts down.");
  const length = Math.max(0, Math.ceil((second - first) / step));
  return numbersFrom("arange", length, (i) => first + i * step, creationOptions("arange", last));
}

type RangeOptions = { dtype?: DType; device?: Device };

/** A tensor of one axis with the numbers `f(index)`. */
export function numbersFrom(
  fn: string,
  length: number,
  of: (place: number) => number,
  { dtype = "float32", device }: { dtype?: DType | undefined; device?: Device | undefined },
): Tensor {
  checkDType(fn, dtype);
  return createTensor(fn, dtype, [length], device, (array) => {
    for (let i = 0; i < length; i++) array[i] = encodeNumbers(fn, [of(i)], dtype)[0]!;
  });
}

/**
 * A tensor whose numbers `write` stores without a copy: in the device's own memory, if the host can access it and a scope is open,
 * otherwise in an array that becomes the device's.
 */
export function createTensor(
  fn: string,
  dtype: DType,
  shape: Shape,
  device: Device = js(),
  write: (array: TypedArray) => void,
): Tensor {
  const length = sizeOf(shape);
  if (!device.isDeviceMemory) {
    const array = allocateArray(dtype, length, fn);
    write(array);
    return fromArray(array, dtype, shape, device);
  }
  const storage = device.allocate(dtype, length, false, fn);
  write(device.array(storage));
  return new Tensor(device, storage, [...shape]);
}

/** A tensor of a new array, on a device. No scope owns it. */
export function fromArray(array: TypedArray, dtype: DType, shape: Shape, device: Device = js()): Tensor {
  return new Tensor(device, device.fromHost(dtype, array), [...shape]);
}
