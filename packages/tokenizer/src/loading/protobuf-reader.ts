import { ByteReader, FormatError } from "@qkv/core";

/**
 * Reads a protocol buffer's fields in order. Each read names its field, and no length of the file is
 * trusted before the bytes are there.
 *
 * @see "Encoding", protobuf.dev/programming-guides/encoding
 */
export class ProtobufReader {
  /** The number of the current field. */
  field = 0;
  #wire = 0;
  readonly #reader: ByteReader;
  readonly #context: { fn: string; source: string };

  constructor(bytes: Uint8Array, context: { fn: string; source: string }) {
    this.#reader = new ByteReader(bytes, context);
    this.#context = context;
  }

  /** Advances to the next field; returns false at the end. */
  next(name: string): boolean {
    if (this.#reader.remaining === 0) return false;
    const key = this.#readVarint(`${name}: key`);
    this.field = Math.floor(key / 8);
    this.#wire = key % 8;
    if (this.field === 0) this.#refuse(`${name}: key`, key, "a field number of 1 or more");
    return true;
  }

  varint(name: string): number {
    this.#expect(name, 0);
    return this.#readVarint(name);
  }

  float(name: string): number {
    this.#expect(name, 5);
    return this.#reader.float32(name);
  }

  bytes(name: string): Uint8Array {
    this.#expect(name, 2);
    return this.#reader.bytes(name, this.#readVarint(`${name}: length`));
  }

  text(name: string): string {
    this.#expect(name, 2);
    return this.#reader.text(name, this.#readVarint(`${name}: length`));
  }

  message(name: string): ProtobufReader {
    return new ProtobufReader(this.bytes(name), this.#context);
  }

  /** Skips a field that is not read. */
  skip(name: string): void {
    const field = `${name}: field ${this.field}`;
    if (this.#wire === 0) this.#readVarint(field);
    else if (this.#wire === 1) this.#reader.skip(field, 8);
    else if (this.#wire === 2) this.#reader.skip(field, this.#readVarint(`${field}: length`));
    else if (this.#wire === 5) this.#reader.skip(field, 4);
    else this.#refuse(field, this.#wire, "a wire type of 0, 1, 2 or 5");
  }

  #expect(name: string, wire: number): void {
    if (this.#wire !== wire) this.#refuse(name, `wire type ${this.#wire}`, `wire type ${wire}`);
  }

  #readVarint(name: string): number {
    let [value, scale] = [0, 1];
    for (let count = 0; count < 10; count++) {
      const byte = this.#reader.uint8(name);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return this.#refuse(name, "more than 10 bytes", "a number of at most 10 bytes");
  }

  #refuse(field: string, received: unknown, expected: string): never {
    const { fn, source } = this.#context;
    throw new FormatError({
      fn,
      argument: `${source}: ${field}`,
      received,
      expected,
      fix: "the file is cut short, damaged, or of another format; fetch it again or check which file it is.",
    });
  }
}
