/// <reference types="node" />
import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader } from "./byte-reader.js";

const reader = (bytes: Uint8Array | number[]) =>
  new ByteReader(Uint8Array.from(bytes), { fn: "load", source: "model.bin" });

/** A field: its bytes, the function that reads it, and the expected value. */
type Field = { bytes: Uint8Array; value: unknown; read: (from: ByteReader) => unknown };

function number(size: number, set: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  set(new DataView(bytes.buffer));
  return bytes;
}

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.integer({ min: 0, max: 255 }).map((value) => ({
    value,
    bytes: Uint8Array.of(value),
    read: (from: ByteReader) => from.uint8("f"),
  })),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((value) => ({
    value,
    bytes: number(4, (view) => view.setUint32(0, value, true)),
    read: (from: ByteReader) => from.uint32("f"),
  })),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((value) => ({
    value,
    bytes: number(4, (view) => view.setInt32(0, value, true)),
    read: (from: ByteReader) => from.int32("f"),
  })),
  fc.maxSafeNat().map((value) => ({
    value,
    bytes: number(8, (view) => view.setBigUint64(0, BigInt(value), true)),
    read: (from: ByteReader) => from.uint64("f"),
  })),
  fc.float().map((value) => ({
    value,
    bytes: number(4, (view) => view.setFloat32(0, value, true)),
    read: (from: ByteReader) => from.float32("f"),
  })),
  fc.array(fc.float(), { maxLength: 5 }).map((values) => ({
    value: Float32Array.from(values),
    bytes: number(4 * values.length, (view) => values.forEach((v, i) => view.setFloat32(4 * i, v, true))),
    read: (from: ByteReader) => from.float32Array("f", values.length),
  })),
  fc.string({ unit: "grapheme", maxLength: 6 }).map((value) => {
    const bytes = new TextEncoder().encode(value);
    return { value, bytes, read: (from: ByteReader) => from.text("f", bytes.length) };
  }),
  fc.uint8Array({ maxLength: 6 }).map((bytes) => ({
    value: bytes,
    bytes,
    read: (from: ByteReader) => from.bytes("f", bytes.length),
  })),
);

const join = (fields: Field[]) => fields.flatMap(({ bytes }) => [...bytes]);

test("property: reading the fields in order returns the written values", () => {
  fc.assert(
    fc.property(fc.array(field), fc.integer({ min: 0, max: 3 }), (fields, before) => {
      // The bytes start anywhere in a larger buffer, so nothing may rely on alignment.
      const all = Uint8Array.from([...new Array<number>(before).fill(9), ...join(fields)]);
      const from = new ByteReader(all.subarray(before), { fn: "load", source: "model.bin" });
      for (const { read, value } of fields) expect(read(from)).toEqual(value);
      expect(from.remaining).toBe(0);
      expect(from.offset).toBe(all.length - before);
    }),
  );
});

test("property: truncated bytes give a FormatError at the first incomplete field, and the offset does not move", () => {
  fc.assert(
    fc.property(fc.array(field, { minLength: 1 }), fc.nat(), (fields, cut) => {
      const bytes = join(fields);
      fc.pre(bytes.length > 0);
      const kept = cut % bytes.length;
      const from = reader(bytes.slice(0, kept));
      let end = 0;
      for (const { read, bytes } of fields) {
        const start = end;
        end += bytes.length;
        if (end > kept) {
          const left = `${kept - start} bytes, at byte ${start} of ${kept}`;
          expect(() => read(from)).toThrow(
            expect.objectContaining({
              name: "FormatError",
              received: left,
              expected: `${bytes.length} bytes`,
            }),
          );
          expect(from.offset).toBe(start);
          return;
        }
        read(from);
      }
    }),
  );
});

test("the error for a truncated file has the field, the offset and the bytes left", () => {
  const from = reader([1, 0, 0, 0, 2, 0]);
  from.uint32("dim");
  expect(() => from.uint32("numLayers")).toThrow(
    'load: `model.bin: numLayers` is "2 bytes, at byte 4 of 6", expected 4 bytes.\n' +
      "Fix: the file is cut short, damaged, or of another format; fetch it again or check which file it is.",
  );
});

test("a huge claimed length is refused before anything is allocated", () => {
  // 2^40 floats are 4 TiB, and 2^51 floats are more bytes than an exact number can count: allocating either would throw
  // a RangeError of the engine instead.
  for (const count of [2 ** 40, 2 ** 51, Number.MAX_SAFE_INTEGER, Infinity]) {
    const from = reader(new Uint8Array(16));
    for (const read of [
      () => from.float32Array("weights", count),
      () => from.bytes("weights", count),
      () => from.text("weights", count),
      () => from.skip("weights", count),
    ]) {
      expect(read).toThrow(
        expect.objectContaining({ name: "FormatError", source: "model.bin", argument: "weights" }),
      );
    }
    expect(from.offset).toBe(0);
  }
});

test.each([-1, 0.5, NaN])("a length of %s is refused", (count) => {
  expect(() => reader([1, 2, 3]).bytes("name", count)).toThrow("expected a length of 0 or more bytes");
});

test("a 64-bit count above 2^53 - 1 is refused, and the largest exact one is read", () => {
  const write = (value: bigint) => number(8, (view) => view.setBigUint64(0, value, true));
  expect(reader(write(2n ** 53n - 1n)).uint64("count")).toBe(2 ** 53 - 1);
  expect(() => reader(write(2n ** 53n)).uint64("count")).toThrow(
    "`model.bin: count` is 9007199254740992n, expected a count below 2^53",
  );
});

test("bytes that are not UTF-8 are refused, and the decoder's error is the cause", () => {
  expect(() => reader([0xc3, 0x28]).text("name", 2)).toThrow(
    expect.objectContaining({ name: "FormatError", expected: "UTF-8 text", cause: expect.any(TypeError) }),
  );
});

test("a byte order mark is kept as part of the text", () => {
  expect(reader([0xef, 0xbb, 0xbf, 0x61]).text("name", 4)).toBe("\uFEFFa");
});

test("float32Array returns a copy, bytes a view", () => {
  const file = new Uint8Array(8);
  const open = () => new ByteReader(file, { fn: "load", source: "model.bin" });
  const floats = open().float32Array("weights", 2);
  const view = open().bytes("raw", 8);
  file.fill(1);
  expect([...floats]).toEqual([0, 0]);
  expect([...view]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
});

test("a Node Buffer is read like other bytes, though its `slice` does not copy", () => {
  const buffer = Buffer.from([9, 0, 0, 128, 63, 7]).subarray(1);
  const reader = new ByteReader(buffer, { fn: "read", source: "file" });
  const numbers = reader.float32Array("numbers", 1);
  buffer.fill(0);
  expect([...numbers]).toEqual([1]);
});
