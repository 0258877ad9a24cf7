import { FormatError } from "./errors.js";
import { fromLittleEndian } from "./little-endian.js";

const utf8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Name of the field that is read, for errors. A function avoids building the names of many fields in advance. */
export type FieldName = string | (() => string);

/**
 * Reads little-endian fields from bytes, in order, and never past the end. Each read names its field; a read that does not fit
 * throws a {@link FormatError} with the field, the offset and the number of bytes left. Lengths from a file are checked against
 * the bytes left before anything is allocated.
 *
 * @example
 * ```ts
 * import { ByteReader } from "@qkv/core";
 *
 * const reader = new ByteReader(new Uint8Array([1, 0, 0, 0, 104, 105]), { fn: "readHeader", source: "header.bin" });
 * reader.int32("count"); // => 1
 * reader.text("name", 2); // => "hi"
 * reader.remaining; // => 0
 * ```
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fn: string;
  readonly #source: string;
  #offset = 0;

  /**
   * @param bytes - The whole file, or the part to read.
   * @param context - For errors: `fn`, the name of the public function, and `source`, the name of the file.
   */
  constructor(bytes: Uint8Array, context: { fn: string; source: string }) {
    // A plain Uint8Array over the same bytes, since `slice` of a Node Buffer does not copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fn = context.fn;
    this.#source = context.source;
  }

  /** Offset of the next read. Unit: bytes from the start. */
  get offset(): number {
    return this.#offset;
  }

  /** Number of unread bytes. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  uint8(field: FieldName): number {
    return this.#view.getUint8(this.#advance(field, 1));
  }

  uint32(field: FieldName): number {
    return this.#view.getUint32(this.#advance(field, 4), true);
  }

  int32(field: FieldName): number {
    return this.#view.getInt32(this.#advance(field, 4), true);
  }

  float32(field: FieldName): number {
    return this.#view.getFloat32(this.#advance(field, 4), true);
  }

  /** Reads an unsigned 64-bit integer. Refuses more than 2^53 - 1, the largest that a number holds exactly. */
  uint64(field: FieldName): number {
    const start = this.#advance(field, 8);
    const high = this.#view.getUint32(start + 4, true);
    if (high >= 2 ** 21) this.#fail(field, this.#view.getBigUint64(start, true), "a count below 2^53");
    return high * 2 ** 32 + this.#view.getUint32(start, true);
  }

  /** Reads `count` float32 numbers into a new array, from any alignment. */
  float32Array(field: FieldName, count: number): Float32Array {
    const start = this.#advance(field, count * 4);
    // Not `slice`, which returns a view for a Node Buffer.
    const bytes = new Uint8Array(this.#bytes.subarray(start, start + count * 4));
    return fromLittleEndian("float32", bytes) as Float32Array;
  }

  /** Reads `count` bytes, as a view of the file's bytes. */
  bytes(field: FieldName, count: number): Uint8Array {
    const start = this.#advance(field, count);
    return this.#bytes.subarray(start, start + count);
  }

  /** Reads `count` bytes of UTF-8. Refuses bytes that are not UTF-8. */
  text(field: FieldName, count: number): string {
    const bytes = this.bytes(field, count);
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      return this.#fail(field, bytes, "UTF-8 text", cause);
    }
  }

  /** Skips `count` bytes. */
  skip(field: FieldName, count: number): void {
    this.#advance(field, count);
  }

  /** Advances by `count` bytes, and returns the offset of the first of them. */
  #advance(field: FieldName, count: number): number {
    if (!Number.isSafeInteger(count) || count < 0) this.#fail(field, count, "a length of 0 or more bytes");
    if (count > this.remaining) {
      this.#fail(
        field,
        `${this.remaining} bytes, at byte ${this.#offset} of ${this.#bytes.length}`,
        `${count} bytes`,
      );
    }
    const start = this.#offset;
    this.#offset += count;
    return start;
  }

  #fail(field: FieldName, received: unknown, expected: string, cause?: unknown): never {
    throw new FormatError({
      fn: this.#fn,
      source: this.#source,
      argument: typeof field === "string" ? field : field(),
      received,
      expected,
      fix: "the file is cut short, damaged, or of another format; fetch it again or check which file it is.",
      cause,
    });
  }
}
