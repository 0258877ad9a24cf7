import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonLines, type ByteStream } from "./json-lines.js";

async function readAll(stream: ByteStream, skip = 0): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of jsonLines(stream, { skip })) values.push(value);
  return values;
}

test("property: values equal those written, for chunks of any length, which may split characters", async () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.dictionary(fc.string(), fc.string()));
  await fc.assert(
    fc.asyncProperty(
      fc.array(value),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(5),
      async (values, width, skip) => {
        const bytes = new TextEncoder().encode(values.map((value) => JSON.stringify(value)).join("\r\n\n"));
        const chunks = Array.from({ length: Math.ceil(bytes.length / width) }, (_, n) =>
          bytes.slice(n * width, (n + 1) * width),
        );
        const expected = JSON.parse(JSON.stringify(values)) as unknown[];
        expect(await readAll(chunks, skip)).toEqual(expected.slice(skip));
        expect(await readAll(new Blob(chunks), skip)).toEqual(expected.slice(skip));
      },
    ),
    { numRuns: 30 },
  );
});

test("a line that is not JSON is refused with its number, and skipped lines are not parsed", async () => {
  const lines = ['{"a":1}\n', "\n{'a':2}\n", '{"a":3}'];
  await expect(readAll(lines)).rejects.toThrow(
    /stream: line 3` is "\{'a':2\}", expected a JSON value on one line/,
  );
  expect(await readAll(lines, 2)).toEqual([{ a: 3 }]);
});

test("leaving the loop early cancels the stream", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("1\n")),
    cancel: () => void (cancelled = true),
  });
  // As in browsers whose streams are not async iterables.
  Object.defineProperty(stream, Symbol.asyncIterator, { value: undefined });
  for await (const value of jsonLines({
    getReader: () => stream.getReader(),
  } as ReadableStream<Uint8Array>)) {
    expect(value).toBe(1);
    break;
  }
  expect(cancelled).toBe(true);
});

test("a value that is not a stream is refused", async () => {
  await expect(readAll("train.jsonl" as never)).rejects.toThrow(
    /`stream` is "train.jsonl".*\nFix: give `createReadStream/,
  );
});

test("invalid UTF-8 is refused with its line, and a byte order mark is skipped", async () => {
  const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
  await expect(readAll([bytes('{"a":1}\n{"a":"caf'), bytes('\xe9"}\n')])).rejects.toThrow(
    /^jsonLines: `stream: line 2` is "bytes that are not UTF-8", expected text in UTF-8.\nFix: convert the file/,
  );
  await expect(readAll([bytes('"a\xc3')])).rejects.toThrow(/line 1/);
  expect(await readAll(['\ufeff{"a":1}\n'])).toEqual([{ a: 1 }]);
  expect(await readAll([bytes('\xef\xbb\xbf{"a":1}\n')])).toEqual([{ a: 1 }]);
  expect(await readAll(['"\ud83d', '\ude00"'])).toEqual(["\u{1f600}"]);
});

test("bytes in place of a list of chunks are refused", async () => {
  await expect(readAll(new Uint8Array([123]) as never)).rejects.toThrow(
    /^jsonLines: `stream` is 123, expected chunks of bytes or text.\nFix: give a list of chunks/,
  );
});

test("a line of many chunks is concatenated once", async () => {
  const chunk = new Uint8Array(1024).fill(120);
  let read = 0;
  // Counts the views of chunks: one per chunk, when the line is decoded.
  const counted = Array.from({ length: 400 }, () =>
    Object.assign(chunk.slice(), {
      subarray(start: number, end?: number) {
        read += 1;
        return Uint8Array.prototype.subarray.call(this, start, end);
      },
    }),
  );
  const [value] = (await readAll([new Uint8Array([34]), ...counted, new Uint8Array([34, 10])])) as [string];
  expect(value).toHaveLength(400 * 1024);
  expect(read).toBe(400);
});
