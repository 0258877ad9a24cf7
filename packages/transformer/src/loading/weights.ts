import { checks, FormatError, sizeOf } from "@qkv/core";
import type { LinearParams } from "@qkv/attention";
import { js, type Device, type HalfType, type Tensor } from "@qkv/tensor";
import { stacked, type RowMap } from "../conversions/row-map.js";
import { placeBytes, placeOn, unread, type Piece, type Place } from "./place.js";
import type { WeightFile } from "./weight-file.js";

/** Storage layout of a linear layer. */
export type LinearLayout = {
  /** True if the matrix is stored as `[in, out]`, as in GPT-2. Default false: `[out, in]`. */
  transposed?: boolean;
  /** Requires a bias. Default false: one is read if present. */
  bias?: boolean;
  /** True: no bias is read here; biases have separate entries, or do not exist. */
  ownBiases?: boolean;
  /** Multipliers of the parts, which are folded into the weights. Default 1. */
  factors?: readonly number[];
  /** Multipliers of the biases. Default 1. */
  biasFactors?: readonly number[];
  /** Column map of the file. Default: the same order. */
  columns?: RowMap;
  /** True: the matrices are always float32, because the model also uses them in other products. Default false. */
  float32?: boolean;
};

/** Layout of a tensor with all experts, one after the other, each with the same parts. */
export type StackedExperts = {
  count: number;
  map: RowMap;
  inner?: number;
  transposed?: boolean;
  /** True: the parts of all are concatenated to one matrix, for heads. Default false: one matrix per expert. */
  joined?: boolean;
};

/** Reads the tensors of a model onto a device. */
export type Weights = {
  readonly name: string;
  /** The reading function, for error messages. */
  readonly fn: string;
  /** Device of the tensors. */
  readonly device: Device;
  has(name: string): boolean;
  /** The shape of a stored tensor; undefined if there is no tensor with this name. */
  shape(name: string): readonly number[] | undefined;
  /** A weight matrix for multiplication, quantized if weights are quantized on loading. */
  matrix(name: string, shape: readonly number[]): Promise<Tensor>;
  /** An embedding matrix, which may also be used for multiplication. It is never quantized. */
  table(name: string, shape: readonly number[]): Promise<Tensor>;
  /**
   * A tensor with this shape. Each number becomes `factor · map(x) + plus`; Gemma stores gains minus 1.
   * `map`: is applied first.
   */
  tensor(
    name: string,
    shape: readonly number[],
    options?: { plus?: number; factor?: number; map?: (number: number) => number },
  ): Promise<Tensor>;
  /** The matrix `path.weight`, and the bias `path.bias` if present, or required with `bias`. */
  linear(path: string, out: number, inner: number, layout?: LinearLayout): Promise<LinearParams>;
  /** Several linear layers that are stored as one. */
  fused(path: string, map: RowMap, inner: number, layout?: LinearLayout): Promise<LinearParams[]>;
  /** Splits a tensor `[rows, …]` along the first axis into parts. */
  rows(name: string, map: RowMap, inner: number | readonly number[]): Promise<Tensor[]>;
  /** Splits a tensor with `count` experts into parts: `[count, out, inner]` or, transposed, `[count, inner, out]`; without `inner`, biases. */
  perExpert(name: string, experts: StackedExperts): Promise<Tensor[]>;
  /** A norm: the gain `path.weight`, and the bias `path.bias` if present, or required with `bias`. */
  norm(
    path: string,
    length: number,
    options?: { plus?: number; factor?: number; bias?: boolean },
  ): Promise<{ weight: Tensor; bias?: Tensor }>;
  /** Refuses tensors that were not read, unless their names match: otherwise part of the model would be ignored. */
  finish(ignored: RegExp): void;
};

/** Quantizes matrices on loading. `bytes`: the size of a quantized matrix, by shape. */
export type MatrixRounding = { round(weight: Tensor): Tensor; bytes(shape: readonly number[]): number };

export type Placing = {
  /** Device of the weights. Default: the plain device. */
  device?: Device;
  /** Type of matrices and embedding matrices. `auto` (default): the stored type, if the device supports it. */
  dtype?: "auto" | "float32";
  /** Quantization on loading. Default: none. */
  rounding?: MatrixRounding;
  /** For planning: called with the bytes of each tensor instead of reading it; the returned tensors have no data. Default: tensors are read. */
  plan?: (bytes: number) => void;
};

/**
 * Reads weights from a file, each once and without a second copy in memory. 16-bit matrices keep their type if the device
 * supports it. Matrices to be quantized are read into the memory of the plain device one at a time.
 */
export function fileWeights(
  file: WeightFile,
  { device = js(), dtype = "auto", rounding, plan }: Placing = {},
): Weights {
  const used = new Set<string>();
  const check: ReturnType<typeof fileChecks> = fileChecks(file);

  async function read(
    name: string,
    stored: readonly number[],
    shapes: readonly (readonly number[])[],
    put: Put,
    { onto = device, type = "float32", bytesOf = (shape) => placeBytes(shape, type) }: ReadOptions = {},
  ): Promise<Tensor[]> {
    const shape = file.shape(name);
    if (!shape) return refuseMissing(file, name, stored);
    if (shape.length !== stored.length || shape.some((length, axis) => length !== stored[axis])) {
      check.refuse({
        argument: name,
        received: `a tensor [${shape.join(", ")}]`,
        expected: `[${stored.join(", ")}], as the configuration says`,
      });
    }
    used.add(name);
    if (plan) {
      for (const shape of shapes) plan(bytesOf(shape));
      return shapes.map(unread);
    }
    const places = shapes.map((shape) => placeOn(onto, shape, type));
    let first = 0;
    for await (const piece of type === "float32" ? file.pieces(name) : file.halves!(name)) {
      put(places, first, piece);
      first += piece.length;
    }
    return places.map((place) => place.done());
  }

  const halfOf = (name: string) => (file.shape(name) && file.half?.(name)) || undefined;

  /** Reads matrices, in the 16-bit type of the file if the device supports it; with `float32`, always as float32. */
  async function readKept(
    name: string,
    stored: readonly number[],
    shapes: readonly (readonly number[])[],
    put: Put,
    float32 = false,
  ): Promise<Tensor[]> {
    const half = dtype === "auto" && !float32 ? halfOf(name) : undefined;
    const type = half && device.weightTypes?.includes(half) ? half : "float32";
    return read(name, stored, shapes, put, { type });
  }

  const readMatrices: typeof readKept = async (name, stored, shapes, put, float32 = false) => {
    if (!rounding) return readKept(name, stored, shapes, put, float32);
    // Quantized from the stored type, which is converted to float32 a few rows at a time.
    const type = (!float32 && halfOf(name)) || "float32";
    const matrices = await read(name, stored, shapes, put, { onto: js(), type, bytesOf: rounding.bytes });
    return plan ? matrices : matrices.map(rounding.round);
  };

  const weights: Weights = {
    name: file.name,
    fn: file.fn,
    device: plan ? js() : device,
    has: (name) => file.shape(name) !== undefined,
    shape: (name) => file.shape(name),
    async tensor(name, shape, { plus = 0, factor = 1, map } = {}) {
      const scaled = (piece: Piece) =>
        plus !== 0 || factor !== 1 ? Float32Array.from(piece, (number) => factor * (number + plus)) : piece;
      const changed = (piece: Piece) => scaled(map ? Float32Array.from(piece, map) : piece);
      const [x] = await read(name, shape, [shape], (places, first, piece) =>
        putWhole(places, first, changed(piece)),
      );
      return x!;
    },
    async matrix(name, shape) {
      return (await readMatrices(name, shape, [shape], putWhole))[0]!;
    },
    async table(name, shape) {
      return (await readKept(name, shape, [shape], putWhole))[0]!;
    },
    async linear(path, out, inner, layout) {
      const [only] = await weights.fused(path, stacked([out]), inner, layout);
      return only!;
    },
    async fused(path, map, inner, layout = {}) {
      const { transposed = false, bias = false, ownBiases = false, factors, biasFactors, float32 } = layout;
      const { columns } = layout;
      const out = map.sizes.reduce((a, b) => a + b, 0);
      const stored = transposed ? [inner, out] : [out, inner];
      const shapes = map.sizes.map((size) => [size, inner]);
      const put = columns
        ? putByColumns(map, columns)
        : transposed
          ? putColumns(map, out, inner)
          : putRows(map, inner, factors);
      const wide = float32 ?? factors?.some((factor) => factor !== 1);
      const matrices = await readMatrices(`${path}.weight`, stored, shapes, put, wide);
      const biases =
        !ownBiases && (bias || weights.has(`${path}.bias`))
          ? await read(
              `${path}.bias`,
              [out],
              map.sizes.map((size) => [size]),
              putRows(map, 1, biasFactors),
            )
          : [];
      return matrices.map((weight, i) => ({ weight, ...(biases[i] && { bias: biases[i] }) }));
    },
    rows(name, map, inner) {
      const rest = [inner].flat();
      const shapes = map.sizes.map((size) => [size, ...rest]);
      const width = sizeOf(rest);
      return read(name, [map.sizes.reduce((a, b) => a + b, 0), ...rest], shapes, putRows(map, width));
    },
    async perExpert(name, { count, map, inner, transposed = false, joined = false }) {
      const out = map.sizes.reduce((a, b) => a + b, 0);
      const width = inner ?? 1;
      const own = inner === undefined ? [out] : transposed ? [inner, out] : [out, inner];
      const matrices = joined ? 1 : count;
      const shapes = Array.from({ length: matrices }, () =>
        map.sizes.map((size) => {
          const rows = joined ? count * size : size;
          return inner === undefined ? [rows] : [rows, inner];
        }),
      ).flat();
      const put: Put = (places, first, piece) => {
        const parts = places.map((place) => place.numbers());
        for (let i = 0; i < piece.length; i++) {
          const expert = Math.floor((first + i) / (out * width));
          const at = (first + i) % (out * width);
          const [row, column] = transposed
            ? [at % out, Math.floor(at / out)]
            : [Math.floor(at / width), at % width];
          const [part, to] = map.to(row);
          const [of, start] = joined
            ? [part, expert * map.sizes[part]!]
            : [expert * map.sizes.length + part, 0];
          parts[of]![(start + to) * width + column] = piece[i]!;
        }
      };
      if (inner === undefined) return read(name, [count, ...own], shapes, put);
      return readMatrices(name, [count, ...own], shapes, put, joined); // with cached latents, these matrices are also used in another product
    },
    async norm(path, length, { bias = false, ...options } = {}) {
      // TensorFlow's names, which the original BERT checkpoints still have.
      const [gain, shift] = weights.has(`${path}.gamma`)
        ? [`${path}.gamma`, `${path}.beta`]
        : [`${path}.weight`, `${path}.bias`];
      const weight = await weights.tensor(gain, [length], options);
      if (!bias && !weights.has(shift)) return { weight };
      return { weight, bias: await weights.tensor(shift, [length]) };
    },
    finish(ignored) {
      const left = file.names.filter((name) => !used.has(name) && !ignored.test(name));
      if (left.length === 0) return;
      check.refuse({
        argument: left[0]!,
        received:
          left.length === 1 ? "a tensor that is not read" : `one of ${left.length} tensors that are not read`,
        expected: "the tensors of the architecture that config.json names, and no others",
        fix: "the configuration and the weights do not belong together, or this variant is not known; see which tensors it adds.",
      });
    },
  };
  return weights;
}

/** Device and type of the tensor, and its planned bytes by shape. Default: the device of the weights, float32, and its size. */
type ReadOptions = {
  onto?: Device;
  type?: "float32" | HalfType;
  bytesOf?: (shape: readonly number[]) => number;
};

/** Copies a chunk of a stored tensor to its destination. `first`: index of its first number in the tensor. */
type Put = (places: readonly Place[], first: number, piece: Piece) => void;

const putWhole: Put = ([place], first, piece) => place!.numbers().set(piece, first);

/** Copies stored rows to the rows of their parts. */
function putRows(map: RowMap, inner: number, factors: readonly number[] = []): Put {
  return (places, first, piece) => {
    const parts = places.map((place) => place.numbers());
    for (let at = 0; at < piece.length;) {
      const column = (first + at) % inner;
      const [part, row] = map.to((first + at - column) / inner);
      const count = Math.min(inner - column, piece.length - at);
      const factor = factors[part] ?? 1;
      const numbers = piece.subarray(at, at + count);
      parts[part]!.set(
        factor === 1 ? numbers : Float32Array.from(numbers, (x) => x * factor),
        row * inner + column,
      );
      at += count;
    }
  };
}

/** Copies stored rows to the rows of their parts, with permuted columns. */
function putByColumns(map: RowMap, { sizes: [inner = 1], to }: RowMap): Put {
  return (places, first, piece) => {
    const parts = places.map((place) => place.numbers());
    for (let i = 0; i < piece.length; i++) {
      const column = (first + i) % inner;
      const [part, row] = map.to((first + i - column) / inner);
      parts[part]![row * inner + to(column)[1]] = piece[i]!;
    }
  };
}

/** Copies stored columns to the rows of their parts (transposed). */
function putColumns(map: RowMap, out: number, inner: number): Put {
  // Created after the first numbers have arrived, so that a wrong size in a configuration does not allocate memory.
  let targets: readonly (readonly [part: number, row: number])[] = [];
  return (places, first, piece) => {
    if (first === 0) targets = Array.from({ length: out }, (_, column) => map.to(column));
    const parts = places.map((place) => place.numbers());
    for (let i = 0; i < piece.length; i++) {
      const column = (first + i) % out;
      const [part, row] = targets[column]!;
      parts[part]![row * inner + (first + i - column) / out] = piece[i]!;
    }
  };
}

function refuseMissing(file: WeightFile, name: string, shape: readonly number[]): never {
  const tail = name.split(".").slice(-2).join(".");
  const near = file.names.filter((other) => other.endsWith(tail));
  const shown = (near.length > 0 ? near : file.names).slice(0, 3).join(", ");
  return fileChecks(file).refuse({
    argument: name,
    received: undefined,
    expected: `a tensor [${shape.join(", ")}]; the file holds ${file.names.length} others, such as ${shown}`,
    fix: "the configuration and the weights do not belong together, or the file is of another variant.",
  });
}

const fileChecks = ({ name, fn }: WeightFile) =>
  checks(
    fn,
    {
      source: name,
      fix: "the configuration and the weights do not belong together; fetch both from one place.",
    },
    FormatError,
  );
