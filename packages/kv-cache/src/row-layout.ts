import { cast, mapTensors, type DType, type HalfType, type Tensor } from "@qkv/tensor";

/** Buffers of a store, by name. */
export type Buffers = Readonly<Record<string, Tensor>>;

/** Layout of keys and values in the buffers of a store. A row is one token of one head. */
export type RowLayout = {
  /** Converts new keys and values `[B, Hkv, T, D]` to the rows of each buffer. Refuses tokens that do not fit the layout. */
  rows(key: Tensor, value: Tensor): Buffers;
  /** Type of the buffers. Default: the type of the tokens. */
  readonly dtype?: HalfType;
  /** Names of the buffers. One of them is `key`. */
  readonly names: readonly string[];
  /** Smallest width D of a key. */
  readonly keyDim: number;
  /** Returns keys and values as views of the buffers. */
  views(buffers: Buffers): { readonly key: Tensor; readonly value: Tensor };
};

/** Keys in one buffer, values in another. */
export const separateRows: RowLayout = {
  names: ["key", "value"],
  keyDim: 1,
  rows: (key, value) => ({ key, value }),
  views: ({ key, value }) => ({ key: key!, value: value! }),
};

/** The layout with buffers of 16 bits, to which rows are rounded; the layout itself if `dtype` is undefined. */
export function layoutWithType(dtype: HalfType | undefined, layout: RowLayout = separateRows): RowLayout {
  if (!dtype) return layout;
  const rows: RowLayout["rows"] = (key, value) => mapTensors(layout.rows(key, value), (x) => cast(x, dtype));
  return { ...layout, dtype, rows };
}

/** Type that new tokens must have if the buffers are of 16 bits: tokens are given in float32. */
export const tokenType = ({ dtype }: Pick<RowLayout, "dtype">): { readonly dtype?: DType } =>
  dtype ? { dtype: "float32" } : {};

/** Name of the storage format in saved files. It contains the dtype, so a cache of another type refuses the file. */
export const storageFormat = (form: string, dtype: HalfType | undefined): string =>
  dtype ? `${form}, ${dtype}` : form;
