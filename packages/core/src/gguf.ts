import { ByteReader, type FieldName } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { checks } from "./bound-checks.js";
import { FormatError } from "./errors.js";

/** A value of a GGUF file's metadata. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

/** A tensor of a GGUF file. Its data begin `offset` bytes after the header's `dataStart`. */
export type GgufTensor = {
  readonly name: string;
  /**
   * In ggml's order (`ne`), the fastest-varying axis first: a row-major matrix `[rows, columns]` has `[columns, rows]`.
   */
  readonly dims: readonly number[];
  /** Number of the `ggml_type`: 0 is F32, 1 F16, 8 Q8_0, … */
  readonly type: number;
  readonly offset: number;
};

export type GgufHeader = {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** Offset of the tensor data. Unit: bytes from the file's start. */
  readonly dataStart: number;
};

/** Checks for the fields of a GGUF file. */
const fileChecks = (fn: string, source: string) =>
  checks(
    fn,
    {
      source,
      fix: "give a GGUF file of version 2 or 3; this one is damaged, cut short or of another format.",
    },
    FormatError,
  );

type GgufChecks = ReturnType<typeof fileChecks>;

/**
 * Reads the header of a GGUF file, version 2 or 3: the metadata, which may hold an entire vocabulary, and the list of
 * tensors. A count or length is checked against the bytes that remain before anything is allocated.
 *
 * @param bytes - The file, or a part from its start that holds the header.
 * @param fn - Name of the public function, for errors. Default: `readGgufHeader`.
 * @throws {FormatError} If the file is of another format, damaged or truncated. The error names the field, for example
 *   `tokenizer.ggml.tokens[7]`.
 * @see ggml-org/ggml, docs/gguf.md
 *
 * @example
 * ```ts
 * import { readGgufHeader } from "@qkv/core";
 *
 * const text = (value: string) => [value.length, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(value)];
 * const count = (value: number) => [value, 0, 0, 0, 0, 0, 0, 0];
 * const file = [...new TextEncoder().encode("GGUF"), 3, 0, 0, 0, ...count(0), ...count(1)];
 * file.push(...text("general.architecture"), 8, 0, 0, 0, ...text("llama")); // one entry, of type 8, a string
 * readGgufHeader(Uint8Array.from(file)).metadata.get("general.architecture"); // => "llama"
 * ```
 */
export function readGgufHeader(bytes: Uint8Array, fn = "readGgufHeader"): GgufHeader {
  const source = "GGUF file";
  const reader = new ByteReader(bytes, { fn, source });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const check: GgufChecks = fileChecks(fn, source);
  const magic = new TextDecoder("latin1").decode(reader.bytes("magic", 4));
  if (magic !== "GGUF") check.refuse({ argument: "magic", received: magic, expected: "GGUF" });
  const version = reader.uint32("version");
  if (version !== 2 && version !== 3)
    check.refuse({ argument: "version", received: version, expected: "2 or 3" });

  /** Reads a count of items that take at least `minBytes` bytes each. */
  const readCount = (field: string, minBytes: number): number => {
    const count = reader.uint64(field);
    if (count * minBytes > reader.remaining) {
      check.refuse({
        argument: field,
        received: count,
        expected: `at most ${Math.floor(reader.remaining / minBytes)}, as many as the file has room for`,
      });
    }
    return count;
  };
  const readString = (field: FieldName, ofLength: FieldName) => reader.text(field, reader.uint64(ofLength));
  const readValue = (field: string, type: number, depth: number): GgufValue => {
    if (type === 8) return readString(field, `${field}: length`);
    if (type === 9) return readArray(field, depth);
    return readScalars(field, type, 1)[0]!;
  };
  /** Reads `count` scalars. All their bytes are skipped first, so that one check finds out if the file is truncated. */
  const readScalars = (field: string, type: number, count: number): GgufValue[] => {
    const size = sizeOf(field, type);
    const read = scalars[type]![1];
    const values: GgufValue[] = [];
    let at = reader.offset;
    reader.skip(field, count * size);
    for (; at < reader.offset; at += size) values.push(read(view, at));
    return values;
  };
  /** Reads an array. Vocabularies have hundreds of thousands of items, so nothing but the value is allocated per item. */
  const readArray = (field: string, depth: number): GgufValue[] => {
    if (depth === 4)
      check.refuse({
        argument: field,
        received: "a list nested more than 4 deep",
        expected: "at most 4 levels",
      });
    const type = reader.uint32(`${field}: item type`);
    const minBytes = type === 8 ? 8 : type === 9 ? 12 : sizeOf(field, type);
    const count = readCount(`${field}: count`, minBytes);
    if (type !== 8 && type !== 9) return readScalars(field, type, count);
    let at = 0;
    const [item, length] = [() => `${field}[${at}]`, () => `${field}[${at}]: length`];
    const values: GgufValue[] = [];
    for (; at < count; at++)
      values.push(type === 8 ? readString(item, length) : readArray(item(), depth + 1));
    return values;
  };
  const sizeOf = (field: string, type: number): number => {
    const size = scalars[type]?.[0];
    if (size === undefined)
      check.refuse({ argument: `${field}: type`, received: type, expected: "a type from 0 to 12" });
    return size;
  };

  const tensorCount = readCount("tensor_count", 24);
  const metadata = new Map<string, GgufValue>();
  for (let left = readCount("metadata_count", 13), i = 0; i < left; i++) {
    const key = readString(`metadata[${i}].key`, `metadata[${i}].key: length`);
    if (metadata.has(key))
      check.refuse({ argument: `metadata[${i}].key`, received: key, expected: "each key once" });
    metadata.set(key, readValue(key, reader.uint32(`${key}: type`), 0));
  }
  const names = new Set<string>();
  const tensors = Array.from({ length: tensorCount }, (_, i): GgufTensor => {
    const name = readString(`tensors[${i}].name`, `tensors[${i}].name: length`);
    if (names.has(name))
      check.refuse({ argument: `tensors[${i}].name`, received: name, expected: "each name once" });
    names.add(name);
    const numDims = reader.uint32(`${name}: dimensions`);
    if (numDims > 8)
      check.refuse({ argument: `${name}: dimensions`, received: numDims, expected: "at most 8" });
    const dims = Array.from({ length: numDims }, (_, axis) => reader.uint64(`${name}: dimension ${axis}`));
    return { name, dims, type: reader.uint32(`${name}: type`), offset: reader.uint64(`${name}: offset`) };
  });
  const alignment = metadata.get("general.alignment") ?? defaultAlignment;
  if (!isAlignment(alignment))
    check.refuse({ argument: "general.alignment", received: alignment, expected: alignmentKind });
  return { version, metadata, tensors, dataStart: Math.ceil(reader.offset / alignment) * alignment };
}

/** Alignment of tensors where `general.alignment` is absent. Unit: bytes. */
const defaultAlignment = 32;
const isAlignment = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 1;
const alignmentKind = "an integer number of bytes, 1 or more";

/** Size in bytes and reader of each scalar type, by the number of its `gguf_metadata_value_type`. */
const scalars: Readonly<Record<number, readonly [number, (view: DataView, at: number) => GgufValue]>> = {
  0: [1, (view, at) => view.getUint8(at)],
  1: [1, (view, at) => view.getInt8(at)],
  2: [2, (view, at) => view.getUint16(at, true)],
  3: [2, (view, at) => view.getInt16(at, true)],
  4: [4, (view, at) => view.getUint32(at, true)],
  5: [4, (view, at) => view.getInt32(at, true)],
  6: [4, (view, at) => view.getFloat32(at, true)],
  7: [1, (view, at) => view.getUint8(at) !== 0],
  10: [8, (view, at) => toSafeNumber(view.getBigUint64(at, true))],
  11: [8, (view, at) => toSafeNumber(view.getBigInt64(at, true))],
  12: [8, (view, at) => view.getFloat64(at, true)],
};

/** A 64-bit integer as a number if that is exact, else as a bigint. */
const toSafeNumber = (value: bigint): number | bigint =>
  Number.isSafeInteger(Number(value)) ? Number(value) : value;

/** A metadata value for a GGUF file, with its type; for a list, also the type of its items. */
export type GgufField =
  | { readonly type: "uint32" | "int32" | "float32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "uint32[]" | "int32[]" | "float32[]"; readonly value: ArrayLike<number> }
  | { readonly type: "bool[]"; readonly value: ArrayLike<boolean> }
  | { readonly type: "string[]"; readonly value: ArrayLike<string> };

/**
 * Writes the header of a GGUF file of version 3. The data of the tensors follow in the order given, each padded with
 * zeros to a multiple of 32 bytes.
 *
 * @param metadata - Values by name, written in this order.
 * @param tensors - `dims`: the fastest-varying axis first. `type`: number of the `ggml_type`. `bytes`: size of the data.
 * @returns The bytes before the data. Their number is a multiple of 32.
 * @throws {ArgumentError} If two tensors have one name.
 * @see ggml-org/ggml, docs/gguf.md
 *
 * @example
 * ```ts
 * import { readGgufHeader, writeGgufHeader } from "@qkv/core";
 *
 * const header = writeGgufHeader(
 *   { "general.architecture": { type: "string", value: "llama" } },
 *   [{ name: "output_norm.weight", dims: [8], type: 0, bytes: 32 }],
 * );
 * readGgufHeader(header).dataStart; // => 128
 * ```
 */
export function writeGgufHeader(
  metadata: Readonly<Record<string, GgufField>>,
  tensors: readonly (Pick<GgufTensor, "name" | "dims" | "type"> & { readonly bytes: number })[],
): Uint8Array {
  const check = checks("writeGgufHeader");
  const writer = new ByteWriter();
  const entries = Object.entries(metadata);
  const alignment = (metadata["general.alignment"]?.value ?? defaultAlignment) as number;
  const fix = "leave it out for 32.";
  check.each({ "metadata.general.alignment": alignment }, isAlignment, alignmentKind, fix);
  writer.text("GGUF");
  writer.uint32(3);
  writer.uint64(tensors.length);
  writer.uint64(entries.length);
  for (const [key, { type, value }] of entries) {
    const kind = type.replace("[]", "") as keyof typeof writers;
    const [typeNumber, write] = writers[kind];
    const put = write as (writer: ByteWriter, value: unknown) => void;
    writeString(writer, key);
    if (kind === type) {
      writer.uint32(typeNumber);
      put(writer, value);
      continue;
    }
    const list = value as ArrayLike<unknown>;
    writer.uint32(9);
    writer.uint32(typeNumber);
    writer.uint64(list.length);
    for (let i = 0; i < list.length; i++) put(writer, list[i]);
  }
  const names = new Set<string>();
  let offset = 0;
  for (const { name, dims, type, bytes } of tensors) {
    if (names.has(name)) {
      check.refuse({
        argument: "tensors",
        received: name,
        expected: "names that no other tensor has",
        fix: "give each tensor a name of its own.",
      });
    }
    names.add(name);
    writeString(writer, name);
    writer.uint32(dims.length);
    dims.forEach((length) => writer.uint64(length));
    writer.uint32(type);
    writer.uint64(offset);
    offset += Math.ceil(bytes / alignment) * alignment;
  }
  writer.align(alignment);
  return writer.finish();
}

/** The `gguf_metadata_value_type` and the writer of each type that can be written. */
const writers = {
  uint32: [4, (writer: ByteWriter, value: number) => writer.uint32(value)],
  int32: [5, (writer: ByteWriter, value: number) => writer.uint32(value)],
  float32: [6, (writer: ByteWriter, value: number) => writer.float32(value)],
  bool: [7, (writer: ByteWriter, value: boolean) => writer.uint8(value ? 1 : 0)],
  string: [8, writeString],
} as const;

/** Writes a string: its length in bytes, then UTF-8. */
function writeString(writer: ByteWriter, value: string): void {
  const bytes = new TextEncoder().encode(value);
  writer.uint64(bytes.length);
  writer.bytes(bytes);
}
