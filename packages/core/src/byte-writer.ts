import type { OwnBytes } from "./own-arrays.js";

/**
 * Writes little-endian fields one after another, as {@link ByteReader} reads them. The buffer grows as needed.
 *
 * @example
 * ```ts
 * import { ByteReader, ByteWriter } from "@qkv/core";
 *
 * const writer = new ByteWriter();
 * writer.uint32(2);
 * writer.text("hi");
 * [...writer.finish()]; // => [2, 0, 0, 0, 104, 105]
 * ```
 */
export class ByteWriter {
  #view = new DataView(new ArrayBuffer(1024));
  #length = 0;

  /** Number of bytes written so far. */
  get length(): number {
    return this.#length;
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    new Uint8Array(this.#view.buffer).set(bytes, at);
  }

  uint8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }

  uint32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  uint64(value: number): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  float32(value: number): void {
    const at = this.#room(4);
    this.#view.setFloat32(at, value, true);
  }

  /** Writes a string as UTF-8, without its length. */
  text(value: string): void {
    this.bytes(new TextEncoder().encode(value));
  }

  /** Writes `fill` bytes up to the next multiple of `alignment`. */
  align(alignment: number, fill = 0): void {
    const count = (alignment - (this.#length % alignment)) % alignment;
    const at = this.#room(count);
    new Uint8Array(this.#view.buffer, at, count).fill(fill);
  }

  /** Returns all bytes written. */
  finish(): OwnBytes {
    return new Uint8Array(this.#view.buffer, 0, this.#length);
  }

  /** Reserves `count` bytes, and returns their offset. */
  #room(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#view.byteLength) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(new Uint8Array(this.#view.buffer, 0, at));
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
