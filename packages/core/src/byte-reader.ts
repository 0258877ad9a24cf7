import { FormatError } from "./errors.js";
import { fromLittleEndian } from "./little-endian.js";

const utf8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Name of the field that is read, for errors; a function where there are too many to build each name in advance. */
export type FieldName = string | (() => string);

/**
 * Reads little-endian fields from bytes, in order, and never past their end: every read names its field, and a
 * read that does not fit throws a {@link FormatError} that says which field, where, and what was left. A length
 * that a file claims is checked against what is there before anything is allocated.
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
   * @param bytes - The whole file, or the part to be read.
   * @param context - `fn`: the function whose name errors carry. `source`: the file's name, for the message.
   */
  constructor(bytes: Uint8Array, context: { fn: string; source: string }) {
    // `slice` of a Node Buffer does not copy; that of a plain Uint8Array over the same bytes does.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fn = context.fn;
    this.#source = context.source;
  }

  /** Position of the next read. Unit: bytes from the start. */
  get offset(): number {
    return this.#offset;
  }

  /** Unread bytes. */
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

  /** Reads a 64-bit count. Refuses more than 2^53 - 1, which no real length reaches. */
  uint64(field: FieldName): number {
    const start = this.#advance(field, 8);
    const high = this.#view.getUint32(start + 4, true);
    if (high >= 2 ** 21) this.#fail(field, this.#view.getBigUint64(start, true), "a count below 2^53");
    return high * 2 ** 32 + this.#view.getUint32(start, true);
  }

  /** Reads `count` float32 values into a new array (the file's bytes need not be aligned). */
  float32Array(field: FieldName, count: number): Float32Array {
    const start = this.#advance(field, count * 4);
    // Not `slice`, which gives a view of a Node Buffer.
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

  /** Moves past `count` bytes and returns the offset of the first. */
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
