import type { LinearParams } from "@qkv/attention";
import { checks, isPacked, type Checks } from "@qkv/core";
import { concat, expandDims, ones, reshape, take, tensor, transpose, zeros, type Tensor } from "@qkv/tensor";
import { asFloats } from "../conversions/as-floats.js";
import { stacked, type RowMap } from "../conversions/row-map.js";
import {
  concatenated,
  transposed as transposedParts,
  unchanged,
  withOffset,
  type TensorToWrite,
} from "./tensor-to-write.js";
import type { NormParams } from "../layers/norm.js";
import type { LinearLayout, Weights } from "../loading/weights.js";

/** Prefixes of an entry: of its paths in params, and of its names in the file. */
export type Prefix = { readonly param: string; readonly name: string };

/** Params with their paths, such as `layers.0.attention.query`. */
type ParamsByPath = readonly (readonly [param: string, value: object])[];

/** An entry in both directions: reads params from a file, and writes them. */
export type Stored = {
  read(weights: Weights): Promise<ParamsByPath>;
  write(params: object): TensorToWrite[];
  /** Factors that reading folds into params, by path. Default: none. */
  readonly factors?: readonly Factor[];
};

type Factor = readonly [param: string, factor: number];

/**
 * An entry of an architecture's table: maps one or several tensors of a checkpoint to params and back.
 * Loading and exporting use the same entries.
 */
export type StoredTensor = (prefix: Prefix) => Stored;

/** A single tensor. `matrix`: may be quantized on loading. `table`: an embedding matrix. */
export function stored(
  param: string,
  name: string,
  shape: readonly number[],
  kind: "tensor" | "matrix" | "table" = "tensor",
): StoredTensor {
  return (at) => ({
    async read(weights) {
      return [[at.param + param, await weights[kind](at.name + name, shape)]];
    },
    write: (params) => [unchanged(at.name + name, paramAt(params, at.param + param) as Tensor)],
  });
}

/** A tensor without its first rows, which are unused and are written as zeros. */
export function rowsFrom(
  param: string,
  name: string,
  first: number,
  [count, width]: readonly [count: number, width: number],
): StoredTensor {
  return (at) => ({
    async read(weights) {
      const map = stacked([first, count]);
      return [[at.param + param, (await weights.rows(at.name + name, map, width))[1]!]];
    },
    write(params) {
      const x = paramAt(params, at.param + param) as Tensor;
      const { dtype, device, shape } = x;
      const unused = zeros([first, ...shape.slice(1)], {
        dtype: isPacked(dtype) ? "float32" : dtype,
        device,
      });
      return [concatenated(at.name + name, [unused, x])];
    },
  });
}

/**
 * Tensors that a file stores concatenated along the first axis, such as convolution kernels and their biases.
 *
 * @param rows - Number of rows of each tensor, or a row map if they are not one after the other.
 * @param rest - The other axes in the file.
 * @param paramRest - The other axes in params. Default: as in the file.
 */
export function parts(
  paramPaths: readonly string[],
  name: string,
  rows: readonly number[] | RowMap,
  rest: readonly number[] = [],
  paramRest = rest,
): StoredTensor {
  const map = "to" in rows ? rows : stacked(rows);
  const partShape = (i: number, inner: readonly number[]) => [map.sizes[i]!, ...inner];
  return (at) => ({
    async read(weights) {
      const tensors = await weights.rows(at.name + name, map, rest);
      return tensors.map(
        (part, i) => [at.param + paramPaths[i]!, reshape(part, partShape(i, paramRest))] as const,
      );
    },
    write(params) {
      const shaped = paramPaths.map((param, i) => {
        const part = paramAt(params, at.param + param) as Tensor;
        return paramRest === rest ? part : reshape(part, partShape(i, rest));
      });
      return [joined(concatenated, at.name + name, shaped, map)];
    },
  });
}

/** Matrices that a file stores as one, and whose params are plain tensors instead of linear layers, such as the factors of low-rank projections. */
export function matrices(
  paramPaths: readonly string[],
  name: string,
  sizes: readonly number[],
  inner: number,
): StoredTensor {
  return (at) => ({
    async read(weights) {
      const path = (at.name + name).replace(/\.weight$/, "");
      const projections = await weights.fused(path, stacked(sizes), inner);
      return projections.map(({ weight }, i) => [at.param + paramPaths[i]!, weight] as const);
    },
    write: parts(paramPaths, name, sizes, [inner])(at).write,
  });
}

/** A tensor with another shape in the file. The order of its elements is the same. */
export function reshaped(
  param: string,
  name: string,
  { stored, inParams }: { stored: readonly number[]; inParams: readonly number[] },
): StoredTensor {
  return (at) => ({
    async read(weights) {
      return [[at.param + param, reshape(await weights.tensor(at.name + name, stored), inParams)]];
    },
    write: (params) => [
      unchanged(at.name + name, reshape(paramAt(params, at.param + param) as Tensor, stored)),
    ],
  });
}

/** A linear layer: `name.weight` `[out, in]`, and `name.bias` if present. */
export function linear(
  param: string,
  name: string,
  [out, inner]: readonly [out: number, inner: number],
  layout?: LinearLayout,
): StoredTensor {
  return fused([param], name, stacked([out]), inner, layout);
}

/**
 * Linear layers that a file stores as one. `layout.ownBiases`: their biases have separate entries.
 */
export function fused(
  paramPaths: readonly string[],
  name: string,
  map: RowMap,
  inner: number,
  layout: LinearLayout = {},
): StoredTensor {
  return (at) => ({
    factors: paramPaths.flatMap((param, i): Factor[] => [
      [`${at.param}${param}.weight`, layout.factors?.[i] ?? 1],
      [`${at.param}${param}.bias`, layout.biasFactors?.[i] ?? 1],
    ]),
    async read(weights) {
      const parts = await weights.fused(at.name + name, map, inner, layout);
      return parts.map((part, i) => [at.param + paramPaths[i]!, part] as const);
    },
    write(params) {
      const parts = paramPaths.map((param) => paramAt(params, at.param + param) as LinearParams);
      const matrices = parts.map(({ weight }) => weight);
      const biases = layout.ownBiases ? [] : parts.flatMap(({ bias }) => bias ?? []);
      const join = layout.transposed ? transposedParts : concatenated;
      const columns = layout.columns && fileOrder(layout.columns);
      return [
        withColumns(joined(join, `${at.name}${name}.weight`, matrices, map), columns),
        ...(biases.length === 0 ? [] : [joined(concatenated, `${at.name}${name}.bias`, biases, map)]),
      ];
    },
  });
}

/** A matrix with its columns in the order of the file. Undefined: unchanged. */
function withColumns(matrix: TensorToWrite, order: Int32Array | undefined): TensorToWrite {
  if (!order) return matrix;
  const rows = (first: number, end: number) => {
    const x = matrix.rows(first, end);
    return take(x, 1, tensor(order, { device: x.device }));
  };
  return { ...matrix, rows };
}

/** For each row of the file, its index in the concatenated parts. Undefined if the order is the same. */
export function fileOrder({ sizes, to }: RowMap): Int32Array | undefined {
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const order = Int32Array.from({ length: sizes.reduce((a, b) => a + b, 0) }, (_, row) => {
    const [part, partRow] = to(row);
    return starts[part]! + partRow;
  });
  return order.every((index, row) => index === row) ? undefined : order;
}

/** Joins parts into one tensor, with the row or column order of the file. */
function joined(
  join: typeof concatenated,
  name: string,
  parts: readonly Tensor[],
  map: RowMap,
): TensorToWrite {
  const order = fileOrder(map);
  const tensorToWrite = join(name, parts);
  if (!order) return tensorToWrite;
  const { device } = parts[0]!;
  if (join === concatenated) {
    const rows = (first: number, end: number) =>
      take(tensorToWrite.rows(0, order.length), 0, tensor(order.slice(first, end), { device }));
    return { ...tensorToWrite, rows };
  }
  return {
    ...tensorToWrite,
    rows: (first, end) => take(tensorToWrite.rows(first, end), 1, tensor(order, { device })),
  };
}

/**
 * A norm: the gain `name.weight`, and the bias `name.bias` if present, or required with `bias`. `plus`: added to
 * stored gains, which `factor` multiplies as they are read.
 */
export function norm(
  param: string,
  name: string,
  length: number,
  { plus = 0, factor = 1, bias = false } = {},
): StoredTensor {
  return (at) => ({
    factors: [[`${at.param}${param}.weight`, factor]],
    async read(weights) {
      return [[at.param + param, await weights.norm(at.name + name, length, { plus, factor, bias })]];
    },
    write(params) {
      const { weight, bias } = paramAt(params, at.param + param) as NormParams;
      const path = at.name + name;
      const gain =
        plus === 0 ? unchanged(`${path}.weight`, weight) : withOffset(`${path}.weight`, weight, plus);
      return [gain, ...(bias ? [unchanged(`${path}.bias`, bias)] : [])];
    },
  });
}

/** The first entry if a file has the tensor `name`, else the second. The second is written. */
export const eitherTensor =
  (first: StoredTensor, second: StoredTensor, written: string): StoredTensor =>
  (at) => ({
    read: (weights) => (weights.has(at.name + written) ? second : first)(at).read(weights),
    write: second(at).write,
  });

/** An entry with an alternative form, which is read if a file has its tensor `name`. The usual form is written. */
export const withAlternative =
  (usual: StoredTensor, other: StoredTensor, name: string): StoredTensor =>
  (at) => ({
    read: (weights) => (weights.has(at.name + name) ? other : usual)(at).read(weights),
    write: usual(at).write,
  });

/** A norm without gain, which has no tensor in the file. Its gains in params are 1. */
export function normWithoutGain(param: string, length: number): StoredTensor {
  return (at) => ({
    async read({ device }) {
      return [[at.param + param, { weight: ones([length], { device }) }]];
    },
    write: () => [],
  });
}

/** Adds prefixes to entries. */
export function under(param: string, name: string, entries: readonly StoredTensor[]): StoredTensor {
  const below = (path: string, part: string) => (part === "" ? path : `${path}${part}.`);
  return (at) =>
    combined(entries.map((entry) => entry({ param: below(at.param, param), name: below(at.name, name) })));
}

/** Repeats entries with an index in both prefixes, such as `layers.0`. */
export function each(
  count: number,
  param: string,
  name: string,
  entries: (i: number) => readonly StoredTensor[],
): StoredTensor {
  return (at) =>
    combined(Array.from({ length: count }, (_, i) => under(`${param}.${i}`, `${name}.${i}`, entries(i))(at)));
}

/** Linear layers of all experts in one tensor `[E, out, in]` or `[E, in, out]`, and their biases `[E, out]`. */
export function perExpert(
  count: number,
  paramPaths: (expert: number) => readonly string[],
  name: string,
  map: RowMap,
  inner: number,
  { transposed = false, bias }: { transposed?: boolean; bias?: string } = {},
): StoredTensor {
  const order = fileOrder(map);
  return (at) => ({
    async read(weights) {
      const packed = weights.has(`${at.name}${name}_blocks`); // MXFP4 matrices are always stored as [E, out, in]
      const matrices = await (packed
        ? weights.perExpert(`${at.name}${name}_blocks`, { count, map, inner })
        : weights.perExpert(at.name + name, { count, map, inner, transposed }));
      const biases = bias === undefined ? [] : await weights.perExpert(at.name + bias, { count, map });
      return matrices.map((weight, i) => {
        const [expert, part] = [Math.floor(i / map.sizes.length), i % map.sizes.length];
        return [
          at.param + paramPaths(expert)[part]!,
          { weight, ...(biases[i] && { bias: biases[i] }) },
        ] as const;
      });
    },
    write(params) {
      const expertParams = (expert: number) =>
        paramPaths(expert).map((param) => paramAt(params, at.param + param) as LinearParams);
      const inOrder = (parts: readonly Tensor[]): Tensor => {
        const matrix = concat(parts.map(asFloats), 0);
        return order ? take(matrix, 0, tensor(order, { device: matrix.device })) : matrix;
      };
      const matrix = (expert: number): Tensor => {
        const weight = inOrder(expertParams(expert).map(({ weight }) => weight));
        return transposed ? transpose(weight) : weight;
      };
      return [
        stackedRows(at.name + name, count, matrix),
        ...(bias === undefined
          ? []
          : [
              stackedRows(at.name + bias, count, (expert) =>
                inOrder(expertParams(expert).map(({ bias }) => bias!)),
              ),
            ]),
      ];
    },
  });
}

/** Stacks tensors of one shape along a new first axis, when they are written. */
function stackedRows(name: string, count: number, tensorAt: (i: number) => Tensor): TensorToWrite {
  const shape = [count, ...tensorAt(0).shape];
  const rows = (first: number, end: number) =>
    concat(
      Array.from({ length: end - first }, (_, i) => expandDims(tensorAt(first + i), 0)),
      0,
    );
  return { name, shape, rows };
}

/** Reads params from a checkpoint, one entry after the other. */
export async function readStored(entries: readonly StoredTensor[], weights: Weights): Promise<object> {
  const params = {};
  for (const entry of entries) {
    for (const [param, value] of await entry({ param: "", name: "" }).read(weights))
      setParam(params, param, value);
  }
  return params;
}

/** Factors other than 1 that {@link readStored} folds into params, by path. */
export function foldedFactors(entries: readonly StoredTensor[]): Readonly<Record<string, number>> {
  const all = entries.flatMap((entry) => entry({ param: "", name: "" }).factors ?? []);
  return Object.fromEntries(all.filter(([, factor]) => factor !== 1));
}

/** Converts params to the tensors of a checkpoint. */
export function writeStored(entries: readonly StoredTensor[], params: object): TensorToWrite[] {
  return entries.flatMap((entry) => entry({ param: "", name: "" }).write(params));
}

/** Combines entries into one. */
const combined = (entries: readonly Stored[]): Stored => ({
  async read(weights) {
    const params: (readonly [string, object])[] = [];
    for (const entry of entries) params.push(...(await entry.read(weights)));
    return params;
  },
  write: (params) => entries.flatMap((entry) => entry.write(params)),
  factors: entries.flatMap(({ factors = [] }) => factors),
});

const isIndex = (key: string) => /^\d+$/.test(key);

/** Sets the value at a path of params. Numbers in the path are list indices. */
function setParam(params: object, param: string, value: object): void {
  const keys = param.split(".");
  let parent = params as Record<string, object>;
  keys.forEach((key, i) => {
    const next = keys[i + 1];
    if (next === undefined) parent[key] = value;
    else parent = (parent[key] ??= isIndex(next) ? [] : {}) as Record<string, object>;
  });
}

/** The params at a path. Throws if there are none. */
export function paramAt(params: object, param: string): object {
  let value: unknown = params;
  for (const key of param.split(".")) value = (value as Record<string, unknown> | undefined)?.[key];
  if (typeof value === "object" && value !== null) return value;
  return check.refuse({
    argument: `params.${param}`,
    received: value,
    expected: "weights, as the configuration asks for them",
    fix: "export params together with the configuration that they were made with.",
  });
}

const check: Checks = /* @__PURE__ */ checks("exportModel");
