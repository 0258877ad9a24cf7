import { parquetWriteBuffer } from "hyparquet-writer";
import * as hyparquet from "hyparquet";
import { expect, test } from "vitest";
import { parquetRows, type ParquetFile, type ParquetRowsOptions } from "./parquet-rows.js";

const texts = Array.from({ length: 25 }, (_, n) => `text ${n} é`);
const file = parquetWriteBuffer({
  columnData: [
    { name: "text", data: texts, type: "STRING" },
    { name: "stars", data: texts.map((_, n) => n), type: "INT32" },
  ],
  rowGroupSize: 10,
});

async function readAll(source: ParquetFile, options?: ParquetRowsOptions) {
  const rows: Record<string, unknown>[] = [];
  for await (const row of parquetRows(source, options)) rows.push(row);
  return rows;
}

test("rows come in order, from bytes and from a Blob", async () => {
  const rows = await readAll(file);
  expect(rows.map(({ text }) => text)).toEqual(texts);
  expect(rows[3]).toEqual({ text: "text 3 é", stars: 3 });
  expect(await readAll(new Blob([file]), { columns: ["stars"] })).toEqual(
    texts.map((_, stars) => ({ stars })),
  );
});

test("skipped row groups are not read", async () => {
  const ranges: [number, number | undefined][] = [];
  const source = {
    byteLength: file.byteLength,
    slice: (start: number, end?: number) => {
      ranges.push([start, end]);
      return file.slice(start, end);
    },
  };
  expect((await readAll(source, { skip: 13 })).map(({ stars }) => stars)).toEqual(
    Array.from({ length: 12 }, (_, n) => 13 + n),
  );
  const { row_groups: groups } = hyparquet.parquetMetadata(file);
  const secondGroup = Number(groups[1]!.columns[0]!.meta_data!.data_page_offset);
  expect(ranges.filter(([start, end]) => start < secondGroup - 100 && (end ?? 0) < secondGroup)).toEqual([]);
});

test("a truncated file and a Uint8Array are refused", async () => {
  await expect(readAll(file.slice(0, 40))).rejects.toThrow(
    /`file: file` is "40 bytes", expected a Parquet file/,
  );
  await expect(readAll(new Uint8Array(4) as never)).rejects.toThrow(
    /`file` is .*\nFix: give `await asyncBufferFromFile/,
  );
});

test("a reader that is a promise or another module is refused", async () => {
  for (const reader of [Promise.resolve({}), {}])
    await expect(parquetRows(new ArrayBuffer(8), { reader: reader as never }).next()).rejects.toThrow(
      /^parquetRows: `reader` is .*, expected the functions of hyparquet.\nFix: pass `reader: await import/,
    );
});
