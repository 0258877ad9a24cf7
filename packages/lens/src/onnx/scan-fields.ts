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

/** Fields of the message in a byte range of a file, in order. Values are skipped, not read. */
export async function* scanFields(
  file: OpenFile,
  { start, end }: Span,
  check: FileChecks,
): AsyncGenerator<Field, void, undefined> {
  for (let at = start; at < end;) {
    const field = fieldAt(at, await file.read(at, Math.min(end, at + maxHeadBytes)));
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
    yield field;
    at = field.end;
  }
}

/** The most bytes of a tag and a length: two varints of at most ten bytes. */
const maxHeadBytes = 20;

/** Decodes the field whose tag is at `start`; undefined if the bytes are not a field. */
function fieldAt(start: number, head: Uint8Array): Field | undefined {
  let place = 0;
  const varint = (): number => {
    let [value, factor] = [0, 1];
    for (let count = 0; count < 10; count++) {
      const byte = head[place++] ?? NaN;
      value += (byte & 127) * factor;
      factor *= 128;
      if (!(byte > 127)) return Number.isNaN(byte) ? NaN : value;
    }
    return NaN;
  };
  const tag = varint();
  const [number, wireType] = [Math.floor(tag / 8), tag % 8];
  const lengths: Readonly<Record<number, () => number>> = {
    [wire.varint]: () => (Number.isNaN(varint()) ? NaN : 0),
    [wire.eightBytes]: () => 8,
    [wire.length]: varint,
    [wire.fourBytes]: () => 4,
  };
  const length = lengths[wireType]?.();
  if (!(number > 0) || length === undefined || Number.isNaN(length)) return undefined;
  const valueStart = start + place;
  return { number, wireType, start, valueStart, end: valueStart + length };
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
