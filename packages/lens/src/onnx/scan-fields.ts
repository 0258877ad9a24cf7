import { FormatError, type Checks } from "@qkv/core";
import type { OpenFile } from "@qkv/core/byte-source";

/** Checks of the function that reads a file. */
export type FileChecks = Checks<{ argument: string }>;

/** Types of values on the wire, of protocol buffers. */
export const wire = { varint: 0, eightBytes: 1, length: 2, fourBytes: 5 } as const;

/** A field of a message: places in the file. Units: bytes. */
export type Field = {
  /** Number of the field in its message's schema. */
  number: number;
  wireType: number;
  /** Place of the tag. */
  start: number;
  /** Place of the value, after the tag and a length. */
  valueStart: number;
  end: number;
};

/** A part of a file. Units: bytes. */
export type Span = { start: number; end: number };

/** Fields of the message that fills a part of a file, in order. Values are passed over, not read. */
export async function* scanFields(
  file: OpenFile,
  { start, end }: Span,
  check: FileChecks,
): AsyncGenerator<Field, void, undefined> {
  for (let at = start; at < end;) {
    const field = fieldAt(at, await file.read(at, Math.min(end, at + longestHead)));
    if (!field || field.end > end) {
      return check.refuse(
        {
          argument: file.name,
          received: `other bytes at ${at}`,
          expected: "a field of a protocol buffer, as in an ONNX model",
          fix: "check that it is a model (.onnx) and complete: a file of weights that lies beside one is none.",
        },
        FormatError,
      );
    }
    yield field;
    at = field.end;
  }
}

/** Bytes of a tag and a length, of at most ten bytes each. */
const longestHead = 20;

/** The field whose tag begins at a place; undefined where none does. */
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

/** The same file, where a short read brings what stands after it: nodes are short and stand side by side. */
export function readAhead(file: OpenFile): OpenFile {
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

/** Bytes that are read at once. */
const windowSize = 2 ** 16;
