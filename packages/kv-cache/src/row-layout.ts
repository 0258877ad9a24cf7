import { cast, mapTensors, type DType, type HalfType, type Tensor } from "@qkv/tensor";

/** Buffers of a store, by name. */
export type Buffers = Readonly<Record<string, Tensor>>;

/** Layout of keys and values in the buffers of a store. */
export type RowLayout = {
  /** The rows of new tokens, by the buffer to which they are appended. Refuses what the layout cannot hold. */
  rows(key: Tensor, value: Tensor): Buffers;
  /** Type of the buffers, where it is not that of the tokens. */
  readonly dtype?: HalfType;
  /** Names of the buffers; there is one of keys. */
  readonly names: readonly string[];
  /** The smallest width of a key. */
  readonly keyDim: number;
  /** Keys and values as views of the buffers. */
  views(buffers: Buffers): { readonly key: Tensor; readonly value: Tensor };
};

/** Keys in one buffer, values in another. */
export const separateRows: RowLayout = {
  names: ["key", "value"],
  keyDim: 1,
  rows: (key, value) => ({ key, value }),
  views: ({ key, value }) => ({ key: key!, value: value! }),
};

/** The rows of a layout in 16 bits, each number rounded to the nearest; without a type, the layout itself. */
export function storedAs(dtype: HalfType | undefined, layout: RowLayout = separateRows): RowLayout {
  if (!dtype) return layout;
  const rows: RowLayout["rows"] = (key, value) => mapTensors(layout.rows(key, value), (x) => cast(x, dtype));
  return { ...layout, dtype, rows };
}

/** Type that new tokens must have, where the buffers of a layout have another. */
export const givenType = ({ dtype }: Pick<RowLayout, "dtype">): { readonly dtype?: DType } =>
  dtype ? { dtype: "float32" } : {};

/** The form of a file of rows: a cache of another type does not restore it. */
export const formOf = (form: string, dtype: HalfType | undefined): string =>
  dtype ? `${form}, ${dtype}` : form;
