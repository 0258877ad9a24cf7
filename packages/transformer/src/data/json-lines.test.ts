import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonLines, type ByteStream } from "./json-lines.js";

async function all(stream: ByteStream, skip = 0): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of jsonLines(stream, { skip })) values.push(value);
  return values;
}

test("property: values come back, wherever the bytes are cut, also inside a character", async () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.dictionary(fc.string(), fc.string()));
  await fc.assert(
    fc.asyncProperty(
      fc.array(value),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(5),
      async (values, width, skip) => {
        const bytes = new TextEncoder().encode(values.map((one) => JSON.stringify(one)).join("\r\n\n"));
        const chunks = Array.from({ length: Math.ceil(bytes.length / width) }, (_, n) =>
          bytes.slice(n * width, (n + 1) * width),
        );
        const wanted = JSON.parse(JSON.stringify(values)) as unknown[];
        expect(await all(chunks, skip)).toEqual(wanted.slice(skip));
        expect(await all(new Blob(chunks), skip)).toEqual(wanted.slice(skip));
      },
    ),
    { numRuns: 30 },
  );
});

test("a line that is not JSON is named, and skipped lines are not parsed", async () => {
  const lines = ['{"a":1}\n', "\n{'a':2}\n", '{"a":3}'];
  await expect(all(lines)).rejects.toThrow(
    /stream: line 3` is "\{'a':2\}", expected a JSON value on one line/,
  );
  expect(await all(lines, 2)).toEqual([{ a: 3 }]);
});

test("a reader that stops releases the stream", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("1\n")),
    cancel: () => void (cancelled = true),
  });
  // As in browsers whose streams are no iterables.
  Object.defineProperty(stream, Symbol.asyncIterator, { value: undefined });
  for await (const value of jsonLines({
    getReader: () => stream.getReader(),
  } as ReadableStream<Uint8Array>)) {
    expect(value).toBe(1);
    break;
  }
  expect(cancelled).toBe(true);
});

test("what is no stream is refused", async () => {
  await expect(all("train.jsonl" as never)).rejects.toThrow(
    /`stream` is "train.jsonl".*\nFix: give `createReadStream/,
  );
});
