import { checks, FormatError } from "@qkv/core";

/** Bytes or text in chunks: `createReadStream(path)`, `response.body`, a File, or a list. */
export type ByteStream =
  AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string> | ReadableStream<Uint8Array> | Blob;

/** Options of {@link jsonLines}. */
export type JsonLinesOptions = {
  /** Number of lines to skip at the beginning, without parsing them. Default 0. */
  skip?: number;
};

/**
 * The values of a JSON Lines file (JSONL), read line by line: the file may be larger than memory. Empty lines are skipped and not counted.
 *
 * @param stream - UTF-8 bytes or strings in chunks of any length.
 * @throws {FormatError} If a line is not JSON, or not in UTF-8; its number is named.
 *
 * @example
 * ```ts
 * import { jsonLines } from "@qkv/transformer/data";
 *
 * const texts = [];
 * for await (const { text } of jsonLines<{ text: string }>(['{"text":"a"}\n{"te', 'xt":"b"}'])) texts.push(text);
 * texts; // => ["a", "b"]
 * ```
 */
export async function* jsonLines<T = unknown>(
  stream: ByteStream,
  options?: JsonLinesOptions,
): AsyncGenerator<T, void, undefined> {
  const check = checks("jsonLines");
  const { skip = 0 } = check.options(options, ["skip"]);
  check.whole({ skip }, { min: 0, unit: "lines" });
  let [line, skipped] = [0, 0];
  for await (const pieces of lines(stream)) {
    line += 1;
    const text = decodeLine(pieces, line);
    if (text.trim() === "") continue;
    if (skipped < skip) skipped += 1;
    else yield parse(text, line) as T;
  }
}

function parse(text: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const [start, rest] = [text.slice(0, 40), text.length > 40 ? "…" : ""];
    throw new FormatError({
      fn: "jsonLines",
      argument: `line ${line}`,
      received: `${start}${rest}`,
      expected: "a JSON value on one line",
      fix: "write one object a line, without line breaks inside: `JSON.stringify(value)`.",
      source: "stream",
      cause,
    });
  }
}

/** The chunks of a line, in order. */
type Pieces = readonly (Uint8Array | string)[];

/** The text of a line, without the byte order mark that some editors begin a file with. */
function decodeLine(pieces: Pieces, line: number): string {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  try {
    const texts = pieces.map((piece) =>
      typeof piece === "string" ? piece : utf8.decode(piece, { stream: true }),
    );
    return (texts.join("") + utf8.decode()).replace(/^\uFEFF/, "");
  } catch (cause) {
    throw new FormatError({
      fn: "jsonLines",
      argument: `line ${line}`,
      received: "bytes that are not UTF-8",
      expected: "text in UTF-8",
      fix: "convert the file, for instance with `iconv -f latin1 -t utf-8`.",
      source: "stream",
      cause,
    });
  }
}

/** Lines as lists of chunks, so that a line as long as the file is joined only once. */
async function* lines(stream: ByteStream): AsyncGenerator<Pieces> {
  let pieces: (Uint8Array | string)[] = [];
  for await (const chunk of chunks(stream)) {
    const isText = typeof chunk === "string";
    if (!isText && !(chunk instanceof Uint8Array))
      checks("jsonLines").refuse({
        argument: "stream",
        received: chunk,
        expected: "chunks of bytes or text",
        fix: "give a list of chunks, `[bytes]`, not the bytes themselves.",
      });
    let start = 0;
    for (;;) {
      // A byte of a line break is never part of another character.
      const end = isText ? chunk.indexOf("\n", start) : chunk.indexOf(10, start);
      const piece = isText
        ? chunk.slice(start, end < 0 ? undefined : end)
        : chunk.subarray(start, end < 0 ? undefined : end);
      if (piece.length > 0) pieces.push(piece);
      if (end < 0) break;
      yield pieces;
      pieces = [];
      start = end + 1;
    }
  }
  if (pieces.length > 0) yield pieces;
}

async function* chunks(stream: ByteStream): AsyncGenerator<Uint8Array | string> {
  checks("jsonLines").each(
    { stream },
    (value) =>
      typeof value === "object" &&
      value !== null &&
      ["stream", "getReader", Symbol.asyncIterator, Symbol.iterator].some(
        (name) => name in (value as object),
      ),
    "a stream of bytes or text, or a list of chunks",
    "give `createReadStream(path)`, the body of a response, or a File.",
  );
  if (Symbol.asyncIterator in stream || Symbol.iterator in stream) {
    yield* stream as AsyncIterable<Uint8Array | string>;
    return;
  }
  // Some browsers do not support async iteration of streams.
  const source = stream as ReadableStream<Uint8Array> | Blob;
  const reader = ("getReader" in source ? source : source.stream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
