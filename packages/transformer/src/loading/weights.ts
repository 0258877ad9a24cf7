import { checks, FormatError, sizeOf } from "@qkv/core";
import type { LinearParams } from "@qkv/attention";
import { js, type Device, type HalfType, type Tensor } from "@qkv/tensor";
import { stacked, type RowMap } from "../conversions/row-map.js";
import {
  allocateTensor,
  plannedTensor,
  tensorBytes,
  type Chunk,
  type TensorBuffer,
} from "./tensor-buffer.js";
import type { WeightFile } from "./weight-file.js";

/** Storage layout of a linear layer. */
export type LinearLayout = {
  /** True if the matrix is stored as `[in, out]`, as in GPT-2. Default false: `[out, in]`. */
  transposed?: boolean;
  /** Requires a bias. Default false: one is read if present. */
  bias?: boolean;
  /** True: no bias is read; biases have separate names in the file, or do not exist. */
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

/** Layout of a tensor with all experts, stacked along the first axis. */
export type StackedExperts = {
  /** Number of experts. */
  count: number;
  /** Row map of one expert, to its parts, such as gate and up. */
  map: RowMap;
  /** Input dimension of the matrices. Default: the tensor holds biases. */
  inner?: number;
  /** True if each matrix is stored as `[in, out]`. Default false: `[out, in]`. */
  transposed?: boolean;
  /** True: each part of all experts is concatenated to one matrix, for heads that are stored like experts. Default false: one matrix per expert. */
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
   * A tensor with this shape. Each value x becomes `factor · (map(x) + plus)`. Defaults: `map` is the identity, `plus` 0 and `factor` 1.
   * Gemma stores gains minus 1, so that `plus` is 1.
   */
  tensor(
    name: string,
    shape: readonly number[],
    options?: { plus?: number; factor?: number; map?: (value: number) => number },
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

export type WeightOptions = {
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
 * Reads weights from a file, in chunks and without a second copy in memory. 16-bit matrices keep their type if the device
 * supports it. Matrices to be quantized are read into the memory of the plain device one at a time.
 */
export function fileWeights(
  file: WeightFile,
  { device = js(), dtype = "auto", rounding, plan }: WeightOptions = {},
): Weights {
  const used = new Set<string>();
  const check: ReturnType<typeof fileChecks> = fileChecks(file);

  async function read(
    name: string,
    stored: readonly number[],
    shapes: readonly (readonly number[])[],
    copyChunk: CopyChunk,
    { onto = device, type = "float32", bytesOf = (shape) => tensorBytes(shape, type) }: ReadOptions = {},
  ): Promise<Tensor[]> {
    const shape = file.shape(name);
    if (!shape) return refuseMissing(file, name, stored);
    if (shape.length !== stored.length || shape.some((length, axis) => length !== stored[axis])) {
      check.refuse({
        argument: name,
        received: `a tensor [${shape.join(", ")}]`,
        expected: `[${stored.join(", ")}], as in the configuration`,
      });
    }
    used.add(name);
    if (plan) {
      for (const shape of shapes) plan(bytesOf(shape));
      return shapes.map(plannedTensor);
    }
    const buffers = shapes.map((shape) => allocateTensor(onto, shape, type));
    let first = 0;
    for await (const chunk of type === "float32" ? file.chunks(name) : file.halfChunks!(name)) {
      copyChunk(buffers, first, chunk);
      first += chunk.length;
    }
    return buffers.map((buffer) => buffer.done());
  }

  const storedHalfType = (name: string) => (file.shape(name) && file.half?.(name)) || undefined;

  /** Reads matrices, in the 16-bit type of the file if the device supports it; with `float32`, always as float32. */
  async function readStored(
    name: string,
    stored: readonly number[],
    shapes: readonly (readonly number[])[],
    copyChunk: CopyChunk,
    float32 = false,
  ): Promise<Tensor[]> {
    const half = dtype === "auto" && !float32 ? storedHalfType(name) : undefined;
    const type = half && device.weightTypes?.includes(half) ? half : "float32";
    return read(name, stored, shapes, copyChunk, { type });
  }

  const readMatrices: typeof readStored = async (name, stored, shapes, copyChunk, float32 = false) => {
    if (!rounding) return readStored(name, stored, shapes, copyChunk, float32);
    // Quantized from the stored type, which is converted to float32 a few rows at a time.
    const type = (!float32 && storedHalfType(name)) || "float32";
    const matrices = await read(name, stored, shapes, copyChunk, {
      onto: js(),
      type,
      bytesOf: rounding.bytes,
    });
    return plan ? matrices : matrices.map(rounding.round);
  };

  const weights: Weights = {
    name: file.name,
    fn: file.fn,
    device: plan ? js() : device,
    has: (name) => file.shape(name) !== undefined,
    shape: (name) => file.shape(name),
    async tensor(name, shape, { plus = 0, factor = 1, map } = {}) {
      const scaled = (chunk: Chunk) =>
        plus !== 0 || factor !== 1 ? Float32Array.from(chunk, (value) => factor * (value + plus)) : chunk;
      const transformed = (chunk: Chunk) => scaled(map ? Float32Array.from(chunk, map) : chunk);
      const [x] = await read(name, shape, [shape], (buffers, first, chunk) =>
        copyWhole(buffers, first, transformed(chunk)),
      );
      return x!;
    },
    async matrix(name, shape) {
      return (await readMatrices(name, shape, [shape], copyWhole))[0]!;
    },
    async table(name, shape) {
      return (await readStored(name, shape, [shape], copyWhole))[0]!;
    },
    async linear(path, out, inner, layout) {
      const [projection] = await weights.fused(path, stacked([out]), inner, layout);
      return projection!;
    },
    async fused(path, map, inner, layout = {}) {
      const { transposed = false, bias = false, ownBiases = false, factors, biasFactors, float32 } = layout;
      const { columns } = layout;
      const out = map.sizes.reduce((a, b) => a + b, 0);
      const stored = transposed ? [inner, out] : [out, inner];
      const shapes = map.sizes.map((size) => [size, inner]);
      const copyChunk = columns
        ? copyPermutedColumns(map, columns)
        : transposed
          ? copyTransposed(map, out, inner)
          : copyRows(map, inner, factors);
      const wide = float32 ?? factors?.some((factor) => factor !== 1);
      const matrices = await readMatrices(`${path}.weight`, stored, shapes, copyChunk, wide);
      const biases =
        !ownBiases && (bias || weights.has(`${path}.bias`))
          ? await read(
              `${path}.bias`,
              [out],
              map.sizes.map((size) => [size]),
              copyRows(map, 1, biasFactors),
            )
          : [];
      return matrices.map((weight, i) => ({ weight, ...(biases[i] && { bias: biases[i] }) }));
    },
    rows(name, map, inner) {
      const rest = [inner].flat();
      const shapes = map.sizes.map((size) => [size, ...rest]);
      const width = sizeOf(rest);
      return read(name, [map.sizes.reduce((a, b) => a + b, 0), ...rest], shapes, copyRows(map, width));
    },
    async perExpert(name, { count, map, inner, transposed = false, joined = false }) {
      const out = map.sizes.reduce((a, b) => a + b, 0);
      const width = inner ?? 1;
      const expertShape = inner === undefined ? [out] : transposed ? [inner, out] : [out, inner];
      const matrices = joined ? 1 : count;
      const shapes = Array.from({ length: matrices }, () =>
        map.sizes.map((size) => {
          const rows = joined ? count * size : size;
          return inner === undefined ? [rows] : [rows, inner];
        }),
      ).flat();
      const copyChunk: CopyChunk = (buffers, first, chunk) => {
        const parts = buffers.map((buffer) => buffer.values());
        for (let i = 0; i < chunk.length; i++) {
          const expert = Math.floor((first + i) / (out * width));
          const at = (first + i) % (out * width);
          const [row, column] = transposed
            ? [at % out, Math.floor(at / out)]
            : [Math.floor(at / width), at % width];
          const [part, to] = map.to(row);
          const [target, start] = joined
            ? [part, expert * map.sizes[part]!]
            : [expert * map.sizes.length + part, 0];
          parts[target]![(start + to) * width + column] = chunk[i]!;
        }
      };
      if (inner === undefined) return read(name, [count, ...expertShape], shapes, copyChunk);
      // Joined matrices are read as float32, because attention over cached latents also uses them in another product.
      return readMatrices(name, [count, ...expertShape], shapes, copyChunk, joined);
    },
    async norm(path, length, { bias = false, ...options } = {}) {
      // The original BERT checkpoints have TensorFlow's names, gamma and beta.
      const [gain, shift] = weights.has(`${path}.gamma`)
        ? [`${path}.gamma`, `${path}.beta`]
        : [`${path}.weight`, `${path}.bias`];
      const weight = await weights.tensor(gain, [length], options);
      if (!bias && !weights.has(shift)) return { weight };
      return { weight, bias: await weights.tensor(shift, [length]) };
    },
    finish(ignored) {
      const unused = file.names.filter((name) => !used.has(name) && !ignored.test(name));
      if (unused.length === 0) return;
      check.refuse({
        argument: unused[0]!,
        received:
          unused.length === 1
            ? "a tensor that is not read"
            : `one of ${unused.length} tensors that are not read`,
        expected: "the tensors of the architecture that config.json names, and no others",
        fix: "the configuration and the weights do not belong together, or this variant is not known; see which tensors it adds.",
      });
    },
  };
  return weights;
}

/** Device and type of the tensor, and its planned bytes by shape. Default: the device of the weights, float32, and the size of the tensor. */
type ReadOptions = {
  onto?: Device;
  type?: "float32" | HalfType;
  bytesOf?: (shape: readonly number[]) => number;
};

/** Copies a chunk of a stored tensor to the buffers of its parts. `first`: index of the chunk's first element in the tensor. */
type CopyChunk = (buffers: readonly TensorBuffer[], first: number, chunk: Chunk) => void;

const copyWhole: CopyChunk = ([buffer], first, chunk) => buffer!.values().set(chunk, first);

/** Copies stored rows to the rows of their parts. */
function copyRows(map: RowMap, inner: number, factors: readonly number[] = []): CopyChunk {
  return (buffers, first, chunk) => {
    const parts = buffers.map((buffer) => buffer.values());
    for (let at = 0; at < chunk.length;) {
      const column = (first + at) % inner;
      const [part, row] = map.to((first + at - column) / inner);
      const count = Math.min(inner - column, chunk.length - at);
      const factor = factors[part] ?? 1;
      const values = chunk.subarray(at, at + count);
      parts[part]!.set(
        factor === 1 ? values : Float32Array.from(values, (x) => x * factor),
        row * inner + column,
      );
      at += count;
    }
  };
}

/** Copies stored rows to the rows of their parts, with permuted columns. */
function copyPermutedColumns(map: RowMap, { sizes: [inner = 1], to }: RowMap): CopyChunk {
  return (buffers, first, chunk) => {
    const parts = buffers.map((buffer) => buffer.values());
    for (let i = 0; i < chunk.length; i++) {
      const column = (first + i) % inner;
      const [part, row] = map.to((first + i - column) / inner);
      parts[part]![row * inner + to(column)[1]] = chunk[i]!;
    }
  };
}

/** Copies stored columns to the rows of their parts (transposed). */
function copyTransposed(map: RowMap, out: number, inner: number): CopyChunk {
  // Created after the first values have arrived, so that a wrong size in a configuration does not allocate memory.
  let targets: readonly (readonly [part: number, row: number])[] = [];
  return (buffers, first, chunk) => {
    if (first === 0) targets = Array.from({ length: out }, (_, column) => map.to(column));
    const parts = buffers.map((buffer) => buffer.values());
    for (let i = 0; i < chunk.length; i++) {
      const column = (first + i) % out;
      const [part, row] = targets[column]!;
      parts[part]![row * inner + (first + i - column) / out] = chunk[i]!;
    }
  };
}

function refuseMissing(file: WeightFile, name: string, shape: readonly number[]): never {
  const tail = name.split(".").slice(-2).join(".");
  const similar = file.names.filter((other) => other.endsWith(tail));
  const shown = (similar.length > 0 ? similar : file.names).slice(0, 3).join(", ");
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
