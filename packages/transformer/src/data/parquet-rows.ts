import { checks, FormatError } from "@qkv/core";

/** A Parquet file: in memory, or read in byte ranges. */
export type ParquetFile =
  | ArrayBuffer
  | Blob
  | { readonly byteLength: number; slice(start: number, end?: number): ArrayBuffer | Promise<ArrayBuffer> };

/** The part of `hyparquet` that is used. */
export type ParquetReader = {
  parquetMetadataAsync(file: never): Promise<{ row_groups: readonly { num_rows: bigint | number }[] }>;
  parquetReadObjects(options: never): Promise<Record<string, unknown>[]>;
};

/** Options of a Parquet file. */
export type ParquetRowsOptions = {
  /** Columns to read. Default: all. */
  columns?: readonly string[];
  /** Number of rows to skip, to continue in the middle; skipped row groups are not read. Default 0. */
  skip?: number;
  /** `await import("hyparquet")`, if a bundler must see the import. Default: it is imported on use. */
  reader?: ParquetReader;
  /** Decompressors besides Snappy: `compressors` of `hyparquet-compressors`. */
  compressors?: object;
};

/**
 * Rows of a Parquet file as objects, read by row group, such as Hugging Face `datasets` store them. Requires
 * `npm install hyparquet`.
 *
 * @throws {ArgumentError} If `hyparquet` is not installed. {FormatError} If the file is not a Parquet file.
 *
 * @example
 * ```ts
 * import { parquetRows } from "@qkv/transformer/data";
 *
 * const file = new ArrayBuffer(0); // mostly a File, or `await asyncBufferFromFile(path)` of hyparquet
 * await parquetRows(file).next(); // => throws FormatError
 * ```
 */
export async function* parquetRows<Row extends object = Record<string, unknown>>(
  file: ParquetFile,
  options?: ParquetRowsOptions,
): AsyncGenerator<Row, void, undefined> {
  const check = checks("parquetRows");
  const {
    columns,
    skip = 0,
    reader,
    compressors,
  } = check.options(options, ["columns", "skip", "reader", "compressors"]);
  check.whole({ skip }, { min: 0, unit: "rows" });
  if (columns !== undefined) check.list({ columns }, "names of columns", (name) => typeof name === "string");
  check.each(
    { file },
    (value) =>
      typeof (value as { slice?: unknown } | null | undefined)?.slice === "function" &&
      !ArrayBuffer.isView(value),
    "a File, an ArrayBuffer, or { byteLength, slice }",
    "give `await asyncBufferFromFile(path)` of hyparquet, or `bytes.buffer`.",
  );
  const isReader = (value: unknown) =>
    typeof (value as Partial<ParquetReader> | null | undefined)?.parquetReadObjects === "function";
  const fix = 'pass `reader: await import("hyparquet")`.';
  if (reader !== undefined) check.each({ reader }, isReader, "the functions of hyparquet", fix);
  const { parquetMetadataAsync, parquetReadObjects } = reader ?? (await importReader());
  const source = file instanceof Blob ? blobBuffer(file) : file;
  const metadata = await parquetMetadataAsync(source as never).catch((cause: unknown) => {
    throw new FormatError({
      fn: "parquetRows",
      argument: "file",
      received: `${source.byteLength} bytes`,
      expected: "a Parquet file, which ends with its metadata",
      fix: "download it again, whole.",
      source: "file",
      cause,
    });
  });
  let first = 0;
  for (const { num_rows: count } of metadata.row_groups) {
    const end = first + Number(count);
    const rowStart = Math.max(first, skip);
    first = end;
    if (rowStart >= end) continue;
    const readOptions = {
      file: source,
      metadata,
      rowStart,
      rowEnd: end,
      ...(columns && { columns }),
      ...(compressors && { compressors }),
    };
    yield* (await parquetReadObjects(readOptions as never)) as Row[];
  }

  async function importReader(): Promise<ParquetReader> {
    // A name that bundlers cannot resolve, because the dependency is optional.
    const name = "hyparquet";
    try {
      return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as ParquetReader;
    } catch (cause) {
      return check.refuse({
        argument: "reader",
        received: undefined,
        expected: "hyparquet, which is not installed",
        fix: 'npm install hyparquet; in a bundle, pass `reader: await import("hyparquet")`.',
        cause,
      });
    }
  }
}

const blobBuffer = (file: Blob) => ({
  byteLength: file.size,
  slice: (start: number, end?: number) => file.slice(start, end).arrayBuffer(),
});
