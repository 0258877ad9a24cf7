import fc from "fast-check";
import { expect, test } from "vitest";
import { readSafetensorsHeader, writeSafetensorsHeader } from "./safetensors.js";

const source = "model.safetensors";

/** A file with the given header text and data of zeros. `claimed`: the stated size of the header, if it is not the real one. */
function file(header: string | Uint8Array, dataBytes = 0, claimed?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (start: number, end: number) =>
  `{"dtype":"U8","shape":[${end - start}],"data_offsets":[${start},${end}]}`;

test("property: written headers are read back", () => {
  const entries = fc.uniqueArray(
    fc.record({
      name: fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__"),
      dtype: fc.constantFrom("F32" as const, "F16" as const, "BOOL" as const, "I64" as const),
      shape: fc.array(fc.nat(4), { maxLength: 3 }),
    }),
    { selector: ({ name }) => name, maxLength: 6 },
  );
  const metadata = fc.dictionary(
    fc.string().filter((key) => key !== "__proto__"),
    fc.string(),
    { maxKeys: 3 },
  );
  fc.assert(
    fc.property(entries, metadata, (entries, metadata) => {
      const header = writeSafetensorsHeader(entries, metadata);
      expect(header.length % 8).toBe(0);
      const bytes = { F32: 4, F16: 2, BOOL: 1, I64: 8 };
      const data = entries.reduce(
        (sum, { dtype, shape }) => sum + shape.reduce((a, b) => a * b, bytes[dtype]),
        0,
      );
      const read = readSafetensorsHeader(header, { source, fileSize: header.length + data });
      expect([...read.tensors.keys()].sort()).toEqual(entries.map(({ name }) => name).sort());
      let start = header.length;
      for (const { name, dtype, shape } of entries) {
        const end = start + shape.reduce((a, b) => a * b, bytes[dtype]);
        expect(read.tensors.get(name)).toEqual({ dtype, shape, start, end });
        start = end;
      }
      expect(Object.fromEntries(read.metadata)).toEqual(metadata);
    }),
  );
});

test.each([
  ["a huge header length", file("{}", 0, 2n ** 62n), /header length` is 4611686018427387904n/],
  ["a header longer than the file", file("{}", 0, 99n), /header length` is "99 bytes"/],
  ["a file of four bytes", new Uint8Array(4), /header length` is "4 bytes, at byte 0 of 4"/],
  ["no UTF-8", file(new Uint8Array([0x7b, 0xff, 0x7d])), /header` is .*expected UTF-8 text/],
  ["no JSON", file("{nope}"), /header` is "no valid JSON"/],
  ["a list", file("[]"), /header` is \[\], expected a JSON object/],
  ["deep nesting", file("[".repeat(100_000)), /nested 5 deep at character 4/],
  ["a name that comes twice", file(`{"a":${entry(0, 1)},"a":${entry(1, 2)}}`, 2), /twice/],
  [
    "overlapping tensors",
    file(`{"a":${entry(0, 2)},"b":${entry(1, 3)}}`, 3),
    /b: data_offsets` is 1, expected 2/,
  ],
  ["a gap", file(`{"a":${entry(0, 1)},"b":${entry(2, 3)}}`, 3), /b: data_offsets` is 2, expected 1/],
  ["offsets beyond the file", file(`{"a":${entry(0, 9)}}`, 1), /data` is "1 bytes", expected 9/],
  [
    "offsets of another size",
    file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4),
    /"4 bytes", expected 8 for F32 \[2\]/,
  ],
  [
    "a negative length",
    file(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}`),
    /a: shape` is \[-1\]/,
  ],
  [
    "an unknown type",
    file(`{"a":{"dtype":"F99","shape":[],"data_offsets":[0,0]}}`),
    /a: dtype` is "F99", .*\nFix: qkv does not know the element type F99\. Convert/,
  ],
  [
    "a type that is no text",
    file(`{"a":{"dtype":7,"shape":[],"data_offsets":[0,0]}}`),
    /a: dtype` is 7, .*\nFix: the file is damaged or not a safetensors file/,
  ],
  ["metadata that is no text", file(`{"__metadata__":{"a":1}}`), /__metadata__` is 1/],
])("%s is refused with the field named", (_, bytes, message) => {
  expect(() => readSafetensorsHeader(bytes, { source })).toThrow(message);
});

test("writing two tensors with the same name is refused", () => {
  const x = { name: "x", dtype: "U8" as const, shape: [] };
  expect(() => writeSafetensorsHeader([x, x])).toThrow(
    /`name` is "x", expected a name that no other tensor has/,
  );
});

/** An entry with additional fields, as JSON text. */
const fields = (text: string) => `{"dtype":"U8","shape":[1],"data_offsets":[0,1]${text}}`;

test.each([
  ["an escape", `{"a":${entry(0, 1)},"\\u0061":${entry(1, 2)}}`, 2, /"\\"a\\", twice"/],
  ["an escape of an escape's kind", `{"a/b":${entry(0, 1)},"a\\/b":${entry(1, 2)}}`, 2, /twice/],
  ["white space before the colon", `{"a":${entry(0, 1)},"a"${" ".repeat(40)}:${entry(1, 2)}}`, 2, /twice/],
  ["line breaks before the colon", `{"a"\n\t\r :${entry(0, 1)},"a":${entry(1, 2)}}`, 2, /twice/],
  ["a key of an entry", `{"a":${fields(',"shape":[1]')}}`, 1, /"\\"shape\\", twice"/],
  ["an escaped key of an entry", `{"a":${fields(',"dt\\u0079pe":"I8"')}}`, 1, /"\\"dtype\\", twice"/],
  ["a key of the metadata", `{"__metadata__":{"x":"1","x":"2"}}`, 0, /"\\"x\\", twice"/],
  ["the metadata itself", `{"__metadata__":{"x":"1"},"__metadat\\u0061__":{}}`, 0, /twice/],
])("names that come twice are refused, however they are spelled: %s", (_name, header, data, message) => {
  expect(() => readSafetensorsHeader(file(header, data), { source })).toThrow(message);
});

test("the same name in two objects, and string values equal to names, are accepted", () => {
  const header = `{"__metadata__":{"a":"a","b":"\\"a\\":"},"a":${entry(0, 1)},"b":${entry(1, 2)}}`;
  const read = readSafetensorsHeader(file(header, 2), { source });
  expect([...read.tensors.keys()]).toEqual(["a", "b"]);
  expect(read.metadata.get("b")).toBe('"a":');
});

test("an empty shape with huge other lengths is refused", () => {
  const empty = (shape: string) => file(`{"a":{"dtype":"F32","shape":[${shape}],"data_offsets":[0,0]}}`);
  expect(readSafetensorsHeader(empty("1,8,0,64"), { source }).tensors.get("a")!.shape).toEqual([1, 8, 0, 64]);
  for (const shape of ["0,1,35184372088832", "2097152,0", "0,2048,1024"])
    expect(() => readSafetensorsHeader(empty(shape), { source })).toThrow(
      /a: shape` is "\[.*\]", expected lengths of at most 1048576 together beside a length of 0/,
    );
});
