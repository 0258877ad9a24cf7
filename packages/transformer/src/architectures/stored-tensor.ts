import type { LinearParams } from "@qkv/attention";
import { checks, type Checks } from "@qkv/core";
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

/** Paths in front of those of an entry: in params, and in the file. */
export type Prefix = { readonly place: string; readonly name: string };

/** Params by their paths, as `layers.0.attention.query`. */
type Placed = readonly (readonly [place: string, value: object])[];

/** Both directions of an entry: from a file to params, and back. */
export type Stored = {
  read(weights: Weights): Promise<Placed>;
  write(params: object): TensorToWrite[];
};

/**
 * An entry of an architecture's table: one or several tensors of a checkpoint, and the params that hold them. Reading and
 * writing come from the same entry.
 */
export type StoredTensor = (prefix: Prefix) => Stored;

/** A tensor as it is, a matrix that quantization rounds, or a table of embeddings. */
export function stored(
  place: string,
  name: string,
  shape: readonly number[],
  kind: "tensor" | "matrix" | "table" = "tensor",
): StoredTensor {
  return (at) => ({
    async read(weights) {
      return [[at.place + place, await weights[kind](at.name + name, shape)]];
    },
    write: (params) => [unchanged(at.name + name, paramAt(params, at.place + place) as Tensor)],
  });
}

/** A tensor without its first rows, which the model does not read; they are written as zeros. */
export function rowsFrom(
  place: string,
  name: string,
  first: number,
  [count, width]: readonly [count: number, width: number],
): StoredTensor {
  return (at) => ({
    async read(weights) {
      const map = stacked([first, count]);
      return [[at.place + place, (await weights.rows(at.name + name, map, width))[1]!]];
    },
    write(params) {
      const x = paramAt(params, at.place + place) as Tensor;
      return [concatenated(at.name + name, [zeros([first, width], { device: x.device }), x])];
    },
  });
}

/**
 * Tensors that a file holds as one, rows of each after those of the one before: taps of convolutions, and their biases.
 *
 * @param rows - Numbers of rows of each, or a map where they are not one after the other.
 * @param rest - Axes after the rows.
 * @param own - The same of our params. Default: as in the file.
 */
export function parts(
  places: readonly string[],
  name: string,
  rows: readonly number[] | RowMap,
  rest: readonly number[] = [],
  own = rest,
): StoredTensor {
  const map = "to" in rows ? rows : stacked(rows);
  const shapeOf = (i: number, inner: readonly number[]) => [map.sizes[i]!, ...inner];
  return (at) => ({
    async read(weights) {
      const read = await weights.rows(at.name + name, map, rest);
      return read.map((part, i) => [at.place + places[i]!, reshape(part, shapeOf(i, own))] as const);
    },
    write(params) {
      const shaped = places.map((place, i) => {
        const part = paramAt(params, at.place + place) as Tensor;
        return own === rest ? part : reshape(part, shapeOf(i, rest));
      });
      return [joined(concatenated, at.name + name, shaped, map)];
    },
  });
}

/** Matrices that a file holds as one and that are no whole map here, as the two of a map of low rank. */
export function matrices(
  places: readonly string[],
  name: string,
  sizes: readonly number[],
  inner: number,
): StoredTensor {
  return (at) => ({
    async read(weights) {
      const path = (at.name + name).replace(/\.weight$/, "");
      const read = await weights.fused(path, stacked(sizes), inner);
      return read.map(({ weight }, i) => [at.place + places[i]!, weight] as const);
    },
    write: parts(places, name, sizes, [inner])(at).write,
  });
}

/** A tensor whose numbers stand in the same order under another shape. */
export function reshaped(
  place: string,
  name: string,
  { stored, own }: { stored: readonly number[]; own: readonly number[] },
): StoredTensor {
  return (at) => ({
    async read(weights) {
      return [[at.place + place, reshape(await weights.tensor(at.name + name, stored), own)]];
    },
    write: (params) => [
      unchanged(at.name + name, reshape(paramAt(params, at.place + place) as Tensor, stored)),
    ],
  });
}

/** A linear map: `name.weight`, and `name.bias` where there is one. `[out, in]`. */
export function linear(
  place: string,
  name: string,
  [out, inner]: readonly [out: number, inner: number],
  layout?: LinearLayout,
): StoredTensor {
  return fused([place], name, stacked([out]), inner, layout);
}

/**
 * Linear maps that a file holds as one. `ownBiases`: their biases are entries of their own.
 */
export function fused(
  places: readonly string[],
  name: string,
  map: RowMap,
  inner: number,
  layout: LinearLayout = {},
): StoredTensor {
  return (at) => ({
    async read(weights) {
      const parts = await weights.fused(at.name + name, map, inner, layout);
      return parts.map((part, i) => [at.place + places[i]!, part] as const);
    },
    write(params) {
      const parts = places.map((place) => paramAt(params, at.place + place) as LinearParams);
      const matrices = parts.map(({ weight }) => weight);
      const biases = layout.ownBiases ? [] : parts.flatMap(({ bias }) => bias ?? []);
      const put = layout.transposed ? transposedParts : concatenated;
      const columns = layout.columns && fileOrder(layout.columns);
      return [
        withColumns(joined(put, `${at.name}${name}.weight`, matrices, map), columns),
        ...(biases.length === 0 ? [] : [joined(concatenated, `${at.name}${name}.bias`, biases, map)]),
      ];
    },
  });
}

/** A matrix with its columns in the order of a file; undefined: as they are. */
function withColumns(matrix: TensorToWrite, order: Int32Array | undefined): TensorToWrite {
  if (!order) return matrix;
  const rows = (first: number, end: number) => {
    const own = matrix.rows(first, end);
    return take(own, 1, tensor(order, { device: own.device }));
  };
  return { ...matrix, rows };
}

/** Rows of the parts, one after the other, in the order of the file; undefined: as they are. */
export function fileOrder({ sizes, to }: RowMap): Int32Array | undefined {
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const order = Int32Array.from({ length: sizes.reduce((a, b) => a + b, 0) }, (_, row) => {
    const [part, own] = to(row);
    return starts[part]! + own;
  });
  return order.every((own, row) => own === row) ? undefined : order;
}

/** Parts as one tensor of a file, in its order of rows, or of columns. */
function joined(
  put: typeof concatenated,
  name: string,
  parts: readonly Tensor[],
  map: RowMap,
): TensorToWrite {
  const order = fileOrder(map);
  const whole = put(name, parts);
  if (!order) return whole;
  const { device } = parts[0]!;
  if (put === concatenated) {
    const rows = (first: number, end: number) =>
      take(whole.rows(0, order.length), 0, tensor(order.slice(first, end), { device }));
    return { ...whole, rows };
  }
  return { ...whole, rows: (first, end) => take(whole.rows(first, end), 1, tensor(order, { device })) };
}

/**
 * A norm: the gain `name.weight` and the shift `name.bias`: where there is one, or, with `bias`, in any case. `plus`: is added to
 * stored gains, which `factor` multiplies as they are read.
 */
export function norm(
  place: string,
  name: string,
  length: number,
  { plus = 0, factor = 1, bias = false } = {},
): StoredTensor {
  return (at) => ({
    async read(weights) {
      return [[at.place + place, await weights.norm(at.name + name, length, { plus, factor, bias })]];
    },
    write(params) {
      const { weight, bias } = paramAt(params, at.place + place) as NormParams;
      const path = at.name + name;
      const gain =
        plus === 0 ? unchanged(`${path}.weight`, weight) : withOffset(`${path}.weight`, weight, plus);
      return [gain, ...(bias ? [unchanged(`${path}.bias`, bias)] : [])];
    },
  });
}

/** The first of two entries where a file has its tensor `name`, else the second, which is written. */
export const eitherName =
  (first: StoredTensor, second: StoredTensor, written: string): StoredTensor =>
  (at) => ({
    read: (weights) => (weights.has(at.name + written) ? second : first)(at).read(weights),
    write: second(at).write,
  });

/** An entry that some files hold in another form, which is read where a file has that form's tensor `name`; the usual one is written. */
export const alsoAs =
  (usual: StoredTensor, other: StoredTensor, name: string): StoredTensor =>
  (at) => ({
    read: (weights) => (weights.has(at.name + name) ? other : usual)(at).read(weights),
    write: usual(at).write,
  });

/** A norm without a gain, which no tensor stores: ours has gains of 1. */
export function normWithoutGain(place: string, length: number): StoredTensor {
  return (at) => ({
    async read({ device }) {
      return [[at.place + place, { weight: ones([length], { device }) }]];
    },
    write: () => [],
  });
}

/** Entries under one path. */
export function under(place: string, name: string, entries: readonly StoredTensor[]): StoredTensor {
  const below = (path: string, own: string) => (own === "" ? path : `${path}${own}.`);
  return (at) =>
    together(entries.map((entry) => entry({ place: below(at.place, place), name: below(at.name, name) })));
}

/** Entries of each of several parts, such as layers: `layers.0` in both. */
export function each(
  count: number,
  place: string,
  name: string,
  entries: (i: number) => readonly StoredTensor[],
): StoredTensor {
  return (at) =>
    together(Array.from({ length: count }, (_, i) => under(`${place}.${i}`, `${name}.${i}`, entries(i))(at)));
}

/** Linear maps of several experts in one tensor `[E, out, in]`, or `[E, in, out]`, and their biases `[E, out]`. */
export function perExpert(
  count: number,
  places: (expert: number) => readonly string[],
  name: string,
  map: RowMap,
  inner: number,
  { transposed = false, bias }: { transposed?: boolean; bias?: string } = {},
): StoredTensor {
  const order = fileOrder(map);
  return (at) => ({
    async read(weights) {
      const packed = weights.has(`${at.name}${name}_blocks`); // in 4 bits: always [E, out, in]
      const matrices = await (packed
        ? weights.perExpert(`${at.name}${name}_blocks`, { count, map, inner })
        : weights.perExpert(at.name + name, { count, map, inner, transposed }));
      const biases = bias === undefined ? [] : await weights.perExpert(at.name + bias, { count, map });
      return matrices.map((weight, i) => {
        const [expert, part] = [Math.floor(i / map.sizes.length), i % map.sizes.length];
        return [at.place + places(expert)[part]!, { weight, ...(biases[i] && { bias: biases[i] }) }] as const;
      });
    },
    write(params) {
      const partsOf = (expert: number) =>
        places(expert).map((place) => paramAt(params, at.place + place) as LinearParams);
      const inOrder = (parts: readonly Tensor[]): Tensor => {
        const all = concat(parts.map(asFloats), 0);
        return order ? take(all, 0, tensor(order, { device: all.device })) : all;
      };
      const matrix = (expert: number): Tensor => {
        const weight = inOrder(partsOf(expert).map(({ weight }) => weight));
        return transposed ? transpose(weight) : weight;
      };
      return [
        stackedRows(at.name + name, count, matrix),
        ...(bias === undefined
          ? []
          : [
              stackedRows(at.name + bias, count, (expert) =>
                inOrder(partsOf(expert).map(({ bias }) => bias!)),
              ),
            ]),
      ];
    },
  });
}

/** Tensors of one shape, stacked on a new first axis, made when they are written. */
function stackedRows(name: string, count: number, one: (i: number) => Tensor): TensorToWrite {
  const shape = [count, ...one(0).shape];
  const rows = (first: number, end: number) =>
    concat(
      Array.from({ length: end - first }, (_, i) => expandDims(one(first + i), 0)),
      0,
    );
  return { name, shape, rows };
}

/** Reads the entries of a checkpoint, one after the other, into params. */
export async function readStored(entries: readonly StoredTensor[], weights: Weights): Promise<object> {
  const params = {};
  for (const entry of entries) {
    for (const [place, value] of await entry({ place: "", name: "" }).read(weights))
      put(params, place, value);
  }
  return params;
}

/** Tensors of a checkpoint, made of params. */
export function writeStored(entries: readonly StoredTensor[], params: object): TensorToWrite[] {
  return entries.flatMap((entry) => entry({ place: "", name: "" }).write(params));
}

const together = (all: readonly Stored[]): Stored => ({
  async read(weights) {
    const placed: (readonly [string, object])[] = [];
    for (const one of all) placed.push(...(await one.read(weights)));
    return placed;
  },
  write: (params) => all.flatMap((one) => one.write(params)),
});

const isIndex = (key: string) => /^\d+$/.test(key);

/** Puts a value where its path says: numbers are indices of lists. */
function put(params: object, place: string, value: object): void {
  const keys = place.split(".");
  let at = params as Record<string, object>;
  keys.forEach((key, i) => {
    const next = keys[i + 1];
    if (next === undefined) at[key] = value;
    else at = (at[key] ??= isIndex(next) ? [] : {}) as Record<string, object>;
  });
}

/** Params at a path; refused where there are none. */
export function paramAt(params: object, place: string): object {
  let at: unknown = params;
  for (const key of place.split(".")) at = (at as Record<string, unknown> | undefined)?.[key];
  if (typeof at === "object" && at !== null) return at;
  return check.refuse({
    argument: `params.${place}`,
    received: at,
    expected: "weights, as the configuration asks for them",
    fix: "export params together with the configuration that they were made with.",
  });
}

const check: Checks = /* @__PURE__ */ checks("exportModel");
