import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { checks } from "./bound-checks.js";
import { FormatError } from "./errors.js";
import { knownNames } from "./known-names.js";

const bytesPer = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

/**
 * The element types of safetensors files: `BOOL`, `U8`, `I8`, `F8_E4M3`, `F8_E5M2`, `U16`, `I16`, `F16`, `BF16`, `U32`, `I32`,
 * `F32`, `U64`, `I64` and `F64`.
 */
export type SafetensorsDType = keyof typeof bytesPer;

/** One tensor of a file: its bytes are `start … end - 1`, counted from the beginning of the file. */
export type SafetensorsEntry = {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
};

/** The header of a safetensors file. */
export type SafetensorsHeader = {
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: ReadonlyMap<string, string>;
};

/** The file that is read. */
export type SafetensorsContext = {
  /** Name of the file, for errors. */
  source: string;
  /** Size of the whole file. Unit: bytes. */
  fileSize: number;
  /** Name of the public function, for errors. Default: the function that is called. */
  fn?: string;
};

/** Checks for the fields of a safetensors file. */
const fileChecks = (fn: string, source: string) =>
  checks(fn, { source, fix: "the file is damaged or not a safetensors file; fetch it again." }, FormatError);

type FileChecks = ReturnType<typeof fileChecks>;

/** The largest header read: 100 MB, the limit of the reference implementation. */
const largestHeader = 100_000_000;

/**
 * Returns the size of the header in bytes, including the eight bytes of the length at the start of the file.
 *
 * @param start - At least the first 8 bytes of the file.
 * @throws {FormatError} If the stated length exceeds the file. It is checked before anything is allocated.
 */
export function safetensorsHeaderSize(
  start: Uint8Array,
  { source, fileSize, fn = "safetensorsHeaderSize" }: SafetensorsContext,
): number {
  const length = new ByteReader(start, { fn, source }).uint64("header length");
  if (length > largestHeader || length > fileSize - 8) {
    fileChecks(fn, source).refuse({
      argument: "header length",
      received: `${length} bytes`,
      expected: `at most ${Math.min(largestHeader, fileSize - 8)} in a file of ${fileSize}`,
    });
  }
  return 8 + length;
}

/**
 * Reads and validates the header of a safetensors file: offsets must be in the file, without gaps or overlaps, and match shape
 * and dtype; names must be unique; the text must be UTF-8.
 *
 * @param start - The first bytes of the file, at least {@link safetensorsHeaderSize} of them.
 * @param context - `fileSize`: default: the length of `start`.
 * @throws {FormatError} If a field is invalid. The error names it.
 * @see https://github.com/huggingface/safetensors, "Format"
 *
 * @example
 * ```ts
 * import { readSafetensorsHeader, writeSafetensorsHeader } from "@qkv/core";
 *
 * const header = writeSafetensorsHeader([{ name: "x", dtype: "U8", shape: [2] }]);
 * const file = new Uint8Array([...header, 7, 8]);
 * readSafetensorsHeader(file, { source: "x.safetensors" }).tensors.get("x")?.shape; // => [2]
 * ```
 */
export function readSafetensorsHeader(
  start: Uint8Array,
  {
    source,
    fileSize = start.length,
    fn = "readSafetensorsHeader",
  }: Omit<SafetensorsContext, "fileSize"> & { fileSize?: number },
): SafetensorsHeader {
  const check: FileChecks = fileChecks(fn, source);
  const dataStart = safetensorsHeaderSize(start, { source, fileSize, fn });
  const reader = new ByteReader(start, { fn, source });
  reader.skip("header length", 8);
  const text = reader.text("header", dataStart - 8);
  checkJson(check, text);
  const json = parse(check, text);
  const tensors = new Map<string, SafetensorsEntry>();
  let metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(json)) {
    if (name === "__metadata__") metadata = readMetadata(check, value);
    else tensors.set(name, readEntry(check, name, value, dataStart));
  }
  let end = dataStart;
  for (const [name, entry] of [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (entry.start !== end) {
      check.refuse({
        argument: `${name}: data_offsets`,
        received: entry.start - dataStart,
        expected: `${end - dataStart}: no gap and no overlap`,
      });
    }
    end = entry.end;
  }
  if (end !== fileSize) {
    check.refuse({
      argument: "data",
      received: `${fileSize - dataStart} bytes`,
      expected: `${end - dataStart}, the end of the last tensor`,
    });
  }
  return { tensors, metadata };
}

/**
 * Writes the header of a safetensors file. The bytes of the tensors must follow in the same order, without gaps.
 *
 * @param fn - Name of the public function, for errors.
 * @returns The bytes before the data. Their number is a multiple of 8.
 */
export function writeSafetensorsHeader(
  entries: readonly { name: string; dtype: SafetensorsDType; shape: readonly number[] }[],
  metadata: Readonly<Record<string, string>> = {},
  fn = "writeSafetensorsHeader",
): Uint8Array {
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) fields.push(`"__metadata__":${JSON.stringify(metadata)}`);
  const names = new Set(["__metadata__"]);
  let end = 0;
  for (const { name, dtype, shape } of entries) {
    if (names.has(name)) {
      checks(fn).refuse({
        argument: "name",
        received: name,
        expected: "a name that no other tensor has",
        fix: "give each tensor a name of its own.",
      });
    }
    names.add(name);
    const start = end;
    end += shape.reduce((a, b) => a * b, bytesPer[dtype]);
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [start, end] })}`);
  }
  const text = new TextEncoder().encode(`{${fields.join(",")}}`);
  const writer = new ByteWriter();
  writer.uint64(Math.ceil(text.length / 8) * 8);
  writer.bytes(text);
  writer.align(8, 0x20);
  return writer.finish();
}

function readEntry(check: FileChecks, name: string, value: unknown, dataStart: number): SafetensorsEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(bytesPer, dtype)) {
    check.refuse({
      argument: `${name}: dtype`,
      received: dtype,
      expected: `one of ${knownNames(dtype, Object.keys(bytesPer), "the reference of `SafetensorsDType`")}`,
      ...(typeof dtype === "string" && {
        fix: `qkv does not know the element type ${dtype}. Convert the tensor to a known type, such as BF16.`,
      }),
    });
  }
  if (!isCounts(shape))
    check.refuse({
      argument: `${name}: shape`,
      received: shape,
      expected: "a list of whole lengths, 0 or more",
    });
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    check.refuse({
      argument: `${name}: data_offsets`,
      received: offsets,
      expected: "two byte offsets, the first not above the second",
    });
  }
  if (!isLoopable(shape)) {
    check.refuse({
      argument: `${name}: shape`,
      received: `[${shape.join(", ")}]`,
      expected: `lengths of at most ${maxEmptyProduct} together beside a length of 0`,
    });
  }
  const size = shape.reduce((a, b) => a * b, bytesPer[dtype as SafetensorsDType]);
  const [first, last] = offsets as [number, number];
  if (last - first !== size) {
    check.refuse({
      argument: `${name}: data_offsets`,
      received: `${last - first} bytes`,
      expected: `${size} for ${dtype} [${shape.join(", ")}]`,
    });
  }
  return { dtype: dtype as SafetensorsDType, shape, start: dataStart + first, end: dataStart + last };
}

/**
 * Largest product of the other lengths in a shape with a length of 0. Such a tensor has no bytes, so the size of the file does
 * not limit these lengths, and code that loops over them could take forever.
 */
const maxEmptyProduct = 2 ** 20;

function isLoopable(shape: readonly number[]): boolean {
  return !shape.includes(0) || shape.reduce((size, length) => size * (length || 1), 1) <= maxEmptyProduct;
}

function readMetadata(check: FileChecks, value: unknown): Map<string, string> {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>);
  const wrong = entries.find(([, text]) => typeof text !== "string");
  if (typeof value !== "object" || Array.isArray(value) || wrong) {
    check.refuse({
      argument: "__metadata__",
      received: wrong ? wrong[1] : value,
      expected: "an object whose values are all strings",
    });
  }
  return new Map(entries as [string, string][]);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function parse(check: FileChecks, text: string): object {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    check.refuse({ argument: "header", received: "no valid JSON", expected: "a JSON object", cause });
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  check.refuse({ argument: "header", received: json, expected: "a JSON object" });
}

/** Refuses JSON that JSON.parse accepts: an object with the same name twice, even if written with escapes, and nesting above 4. */
function checkJson(check: FileChecks, text: string): void {
  /** The names seen in each enclosing object; undefined for an enclosing list. */
  const enclosing: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === "{" || c === "[") {
      enclosing.push(c === "{" ? new Set() : undefined);
      if (enclosing.length > 4)
        check.refuse({
          argument: "header",
          received: `nested ${enclosing.length} deep at character ${i}`,
          expected: "at most 4",
        });
    } else if (c === "}" || c === "]") enclosing.pop();
    else if (c === '"') {
      const start = i;
      for (i += 1; i < text.length && text[i] !== '"'; i++) if (text[i] === "\\") i += 1;
      const names = enclosing.at(-1);
      if (!names || !isFollowedByColon(text, i + 1)) continue;
      const name = unescaped(text.slice(start, i + 1));
      if (names.has(name))
        check.refuse({
          argument: "header",
          received: `${JSON.stringify(name)}, twice`,
          expected: "each name once",
        });
      names.add(name);
    }
  }
}

function isFollowedByColon(text: string, at: number): boolean {
  while (/\s/.test(text[at] ?? "")) at += 1;
  return text[at] === ":";
}

/** Decodes the escapes of a JSON string. Invalid JSON is returned as it is, and refused when the whole text is parsed. */
function unescaped(literal: string): string {
  if (!literal.includes("\\")) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal;
  }
}
