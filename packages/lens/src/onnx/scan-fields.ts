import { FormatError, type Checks } from "@qkv/core";
import type { OpenFile } from "@qkv/core/byte-source";

/** Checks of the function that reads a file. */
export type FileChecks = Checks<{ argument: string }>;

/** Wire types of protocol buffers. */
export const wire = { varint: 0, eightBytes: 1, length: 2, fourBytes: 5 } as const;

/** A field of a message: byte offsets in the file. */
export type Field = {
  /** Number of the field in its message's schema. */
  number: number;
  wireType: number;
  /** Offset of the tag. */
  start: number;
  /** Offset of the value, after the tag and the length. */
  valueStart: number;
  end: number;
};

/** A byte range of a file; `end` is exclusive. */
export type Span = { start: number; end: number };

/**
 * Fields of the message in a byte range of a file, in order, as lists: a list has those whose tags are in one window of the file.
 * Values are skipped, not read.
 */
export async function* scanFields(
  file: OpenFile,
  { start, end }: Span,
  check: FileChecks,
): AsyncGenerator<readonly Field[], void, undefined> {
  let count = 0;
  for (let at = start; at < end;) {
    const first = at;
    const window = await file.read(first, Math.min(end, first + windowSize));
    const fields: Field[] = [];
    // A tag and a length at the end of the window may be cut off, but not those at its start.
    while (at < end && (at === first || at + maxHeadBytes <= first + window.length)) {
      const field = fieldAt(at, window.subarray(at - first, at - first + maxHeadBytes));
      if (!field || field.end > end) {
        return check.refuse(
          {
            argument: file.name,
            received: `bytes that are no field, at offset ${at}`,
            expected: "a field of a protocol buffer, as in an ONNX model",
            fix: "give a complete model (.onnx): a file of its external data is not a model.",
          },
          FormatError,
        );
      }
      fields.push(field);
      at = field.end;
    }
    count += fields.length;
    if (count > maxFields) {
      return check.refuse(
        {
          argument: file.name,
          received: `a message of more than ${maxFields} fields`,
          expected: "a graph, with a field for each node and each weight",
          fix: "give a complete model (.onnx): a file of its external data is not a model.",
        },
        FormatError,
      );
    }
    yield fields;
  }
}

/** The most fields of a message: a graph of a million nodes is no model. */
const maxFields = 2 ** 20;

/** The most bytes of a tag and a length: two varints of at most ten bytes. */
const maxHeadBytes = 20;

/** Decodes the field whose tag is at `start`; undefined if the bytes are not a field. */
function fieldAt(start: number, head: Uint8Array): Field | undefined {
  const [tag, afterTag] = varintAt(head, 0);
  const [number, wireType] = [Math.floor(tag / 8), tag % 8];
  if (!(number > 0)) return undefined;
  let [length, at] = [0, afterTag];
  if (wireType === wire.eightBytes) length = 8;
  else if (wireType === wire.fourBytes) length = 4;
  else if (wireType === wire.varint || wireType === wire.length) {
    const [value, afterValue] = varintAt(head, afterTag);
    if (Number.isNaN(value)) return undefined;
    at = afterValue;
    if (wireType === wire.length) length = value;
  } else return undefined;
  return { number, wireType, start, valueStart: start + at, end: start + at + length };
}

/** The integer at a place of a message, NaN if there is none, and the place after it. */
function varintAt(bytes: Uint8Array, place: number): readonly [value: number, after: number] {
  let [value, factor] = [0, 1];
  for (let count = 0; count < 10; count++) {
    const byte = bytes[place++] ?? NaN;
    value += (byte & 127) * factor;
    factor *= 128;
    if (!(byte > 127)) return [Number.isNaN(byte) ? NaN : value, place];
  }
  return [NaN, place];
}

/** The same file with read-ahead: a short read also fetches the bytes after it, as nodes are short and adjacent. */
export function withReadAhead(file: OpenFile): OpenFile {
  let window: { start: number; bytes: Uint8Array<ArrayBuffer> } = { start: 0, bytes: new Uint8Array(0) };
  return {
    ...file,
    async read(start, end, signal) {
      if (end - start > windowSize) return file.read(start, end, signal);
      if (start < window.start || end > window.start + window.bytes.length)
        window = { start, bytes: await file.read(start, Math.min(file.size, start + windowSize), signal) };
      return window.bytes.subarray(start - window.start, end - window.start);
    },
  };
}

/** Size of the read-ahead window. Unit: bytes. */
const windowSize = 2 ** 16;
