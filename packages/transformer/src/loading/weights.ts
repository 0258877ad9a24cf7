import { checks, FormatError, sizeOf } from "@qkv/core";
import type { LinearParams } from "@qkv/attention";
import { js, type Device, type HalfType, type Tensor } from "@qkv/tensor";
import { stacked, type RowMap } from "../conversions/row-map.js";
import { placeBytes, placeOn, unread, type Piece, type Place } from "./place.js";
import type { WeightFile } from "./weight-file.js";

/** Storage of a linear map. */
export type LinearLayout = {
  /** True if the matrix is stored as `[in, out]`, as GPT-2's. Default false: `[out, in]`. */
  transposed?: boolean;
  /** Requires a bias. Default false: one is read if present. */
  bias?: boolean;
  /** Reads no bias: biases are read apart, or there are none. */
  ownBiases?: boolean;
  /** Factors of the parts, which a model multiplies by as it computes: weights take them in. Default 1. */
  factors?: readonly number[];
  /** The same of biases. Default 1. */
  biasFactors?: readonly number[];
  /** The order of columns in the file: each becomes the one that the map says. Default: as they are. */
  columns?: RowMap;
  /** Places matrices as float32 in any case: those that a model reads in other products too. Default false. */
  float32?: boolean;
};

/** Experts that are stored in one tensor: the parts of each, one expert after the other. */
export type StackedExperts = {
  count: number;
  map: RowMap;
  inner?: number;
  transposed?: boolean;
  /** Parts of all, one below the other, are one matrix: those of heads. Default false: each expert has its own. */
  joined?: boolean;
};

/** The tensors of a model's files, read into their places on a device. */
export type Weights = {
  readonly name: string;
  /** The function that reads them, whose name errors carry. */
  readonly fn: string;
  /** Device of the tensors that are read. */
  readonly device: Device;
  has(name: string): boolean;
  /** The shape of a stored tensor; undefined if there is none of this name. */
  shape(name: string): readonly number[] | undefined;
  /** A matrix that a model multiplies with: rounded, where weights are rounded as they are read. */
  matrix(name: string, shape: readonly number[]): Promise<Tensor>;
  /** A matrix whose rows a model looks up by number, and may multiply with too: never rounded. */
  table(name: string, shape: readonly number[]): Promise<Tensor>;
  /**
   * A tensor of the shape given. `plus`: is added to each number (Gemma's gains count from 1), which `factor` multiplies.
   * `map`: is applied to each number first.
   */
  tensor(
    name: string,
    shape: readonly number[],
    options?: { plus?: number; factor?: number; map?: (number: number) => number },
  ): Promise<Tensor>;
  /** The matrix `path.weight` and the bias `path.bias`: where there is one, or, with `bias`, in any case. */
  linear(path: string, out: number, inner: number, layout?: LinearLayout): Promise<LinearParams>;
  /** Several matrices that are stored as one. */
  fused(path: string, map: RowMap, inner: number, layout?: LinearLayout): Promise<LinearParams[]>;
  /** Rows of one tensor `[rows, inner]`, or of more axes, as parts of it. */
  rows(name: string, map: RowMap, inner: number | readonly number[]): Promise<Tensor[]>;
  /** Parts of each of `count` experts, `[count, out, inner]` or, transposed, `[count, inner, out]`; without `inner`, biases. */
  perExpert(name: string, experts: StackedExperts): Promise<Tensor[]>;
  /** A norm: the gain `path.weight` and the shift `path.bias`: where there is one, or, with `bias`, in any case. */
  norm(
    path: string,
    length: number,
    options?: { plus?: number; factor?: number; bias?: boolean },
  ): Promise<{ weight: Tensor; bias?: Tensor }>;
  /** Refuses tensors that were not asked for, unless they are of the names given: a model would be read in part. */
  finish(ignored: RegExp): void;
};

/** Quantization of a matrix, and the bytes that this leaves of a shape. */
export type MatrixRounding = { round(weight: Tensor): Tensor; bytes(shape: readonly number[]): number };

export type Placing = {
  /** Device of the weights. Default: the plain one. */
  device?: Device;
  /** Type of matrices and tables: `auto` (default), as they are stored, where the device reads that in place. */
  dtype?: "auto" | "float32";
  /** Quantization of matrices. Default: none. */
  rounding?: MatrixRounding;
  /** Called with the bytes of each tensor in place of reading it: the tensors given are empty. Default: they are read. */
  plan?: (bytes: number) => void;
};

/**
 * Weights of a file, each read once, without a second copy of any. Matrices of 16 bits stay so where the device multiplies
 * with such. What is rounded is read into the plain device's memory, one matrix at a time.
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

  /** Matrices in the type of the file, where it has 16 bits and the device reads such; `float32`: in any case as that. */
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
    // Rounded from what the file stores, which is widened a few rows at a time.
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
      return readMatrices(name, [count, ...own], shapes, put, joined); // latents of a cache meet those in another product
    },
    async norm(path, length, { bias = false, ...options } = {}) {
      // As TensorFlow called them, and BERT's own checkpoints do to this day.
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

/** Device and type of places, and bytes that are planned for one of a shape. Default: the weights' device, float32, those of the place. */
type ReadOptions = {
  onto?: Device;
  type?: "float32" | HalfType;
  bytesOf?: (shape: readonly number[]) => number;
};

/** Puts a piece of a stored tensor, whose first number is the `first` of all, where it belongs. */
type Put = (places: readonly Place[], first: number, piece: Piece) => void;

const putWhole: Put = ([place], first, piece) => place!.numbers().set(piece, first);

/** Stored rows to the rows of their parts. */
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

/** Stored rows to the rows of their parts, each number to its column. */
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

/** Stored columns to the rows of their parts. */
function putColumns(map: RowMap, out: number, inner: number): Put {
  // Made when the first numbers are there: then as many columns as a configuration counts are, too.
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
