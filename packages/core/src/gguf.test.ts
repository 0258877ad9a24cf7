/// <reference types="node" />
import fc from "fast-check";
import { expect, test } from "vitest";
import { referenceData } from "../../../conformance/reference-data.mjs";
import { readGgufHeader, writeGgufHeader, type GgufField } from "./gguf.js";

const u32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
const u64 = (value: number | bigint) => [...new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)];
const text = (value: string) => {
  const bytes = new TextEncoder().encode(value);
  return [...u64(bytes.length), ...bytes];
};
const entry = (key: string, type: number, value: number[]) => [...text(key), ...u32(type), ...value];
const file = (entries: number[][], tensors: number[][] = [], version = 3) =>
  Uint8Array.from([
    0x47,
    0x47,
    0x55,
    0x46,
    ...u32(version),
    ...u64(tensors.length),
    ...u64(entries.length),
    ...entries.flat(),
    ...tensors.flat(),
  ]);

test("golden: every type of value, lists, a tensor, and the offset of the data", () => {
  const header = readGgufHeader(
    file(
      [
        entry("u8", 0, [255]),
        entry("i8", 1, [255]),
        entry("u16", 2, [0, 1]),
        entry("i16", 3, [255, 255]),
        entry("u32", 4, u32(7)),
        entry("i32", 5, u32(2 ** 32 - 7)),
        entry("f32", 6, [0, 0, 192, 63]),
        entry("bool", 7, [1]),
        entry("text", 8, text("é")),
        entry("list", 9, [
          ...u32(9),
          ...u64(2),
          ...u32(8),
          ...u64(1),
          ...text("a"),
          ...u32(0),
          ...u64(2),
          1,
          2,
        ]),
        entry("u64", 10, u64(2n ** 60n)),
        entry("i64", 11, u64(2n ** 64n - 5n)),
        entry("f64", 12, [0, 0, 0, 0, 0, 0, 248, 63]),
        entry("general.alignment", 4, u32(64)),
      ],
      [[...text("w"), ...u32(2), ...u64(3), ...u64(4), ...u32(1), ...u64(128)]],
    ),
  );
  const values = [255, -1, 256, -1, 7, -7, 1.5, true, "é", [["a"], [1, 2]], 2n ** 60n, -5, 1.5, 64];
  expect([...header.metadata.values()]).toEqual(values);
  expect(header.tensors).toEqual([{ name: "w", dims: [3, 4], type: 1, offset: 128 }]);
  expect([header.version, header.dataStart % 64]).toEqual([3, 0]);
});

test.each([
  ["another format", Uint8Array.from([1, 2, 3, 4, 5]), /GGUF file: magic` is ".*", expected GGUF/],
  ["an old version", file([], [], 1), /version` is 1, expected 2 or 3/],
  [
    "a count beyond the file",
    Uint8Array.from([...file([]).slice(0, 16), ...u64(2 ** 40)]),
    /metadata_count` is 1099511627776, expected at most 0/,
  ],
  [
    "a list beyond the file",
    file([entry("tokens", 9, [...u32(8), ...u64(2 ** 31)])]),
    /tokens: count` is 2147483648, expected at most 0/,
  ],
  [
    "an item of a list that is not UTF-8",
    file([entry("tokens", 9, [...u32(8), ...u64(3), ...text("a"), ...u64(1), 0xff, ...text("b")])]),
    /GGUF file: tokens\[1\]` is .*, expected UTF-8 text/,
  ],
  [
    "an item of a list that is longer than any file",
    file([entry("tokens", 9, [...u32(8), ...u64(2), ...text("a"), ...u64(2n ** 63n)])]),
    /GGUF file: tokens\[1\]: length` is 9223372036854775808n, expected a count below 2\^53/,
  ],
  [
    "a text of 2 GB",
    file([entry("t", 8, u64(2 ** 31))]),
    /GGUF file: t` is "0 bytes, .*expected 2147483648 bytes/,
  ],
  ["an unknown type", file([entry("t", 13, [0])]), /t: type` is 13, expected a type from 0 to 12/],
  [
    "lists that are nested too deeply",
    file([entry("t", 9, Array.from({ length: 9 }, () => [...u32(9), ...u64(1)]).flat())]),
    /at most 4 levels/,
  ],
  [
    "too many axes",
    file([], [[...text("w"), ...u32(9), ...new Array<number>(80).fill(0)]]),
    /w: dimensions` is 9, expected at most 8/,
  ],
  ["no alignment", file([entry("general.alignment", 4, u32(0))]), /general.alignment` is 0/],
])("%s is refused, with the field named", (_, bytes, message) => {
  expect(() => readGgufHeader(bytes)).toThrow(message);
  expect(() => readGgufHeader(bytes)).toThrow(expect.objectContaining({ name: "FormatError" }));
});

test("property: a truncated file, or one with a changed byte, is read or throws a FormatError", () => {
  const whole = file([
    entry("a", 9, [...u32(8), ...u64(2), ...text("x"), ...text("yz")]),
    entry("b", 4, u32(1)),
  ]);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
      const bytes = cut ? whole.slice(0, at) : whole.with(at, byte);
      try {
        readGgufHeader(bytes);
      } catch (error) {
        expect((error as Error).name).toBe("FormatError");
      }
    }),
  );
});

const f32 = fc.float({ noNaN: true });
const field: fc.Arbitrary<GgufField> = fc.oneof(
  fc.record({ type: fc.constant("uint32" as const), value: fc.nat(0xffffffff) }),
  fc.record({ type: fc.constant("int32" as const), value: fc.integer() }),
  fc.record({ type: fc.constant("float32" as const), value: f32 }),
  fc.record({ type: fc.constant("bool" as const), value: fc.boolean() }),
  fc.record({ type: fc.constant("string" as const), value: fc.string({ unit: "grapheme" }) }),
  fc.record({ type: fc.constant("int32[]" as const), value: fc.array(fc.integer()) }),
  fc.record({ type: fc.constant("float32[]" as const), value: fc.array(f32) }),
  fc.record({ type: fc.constant("bool[]" as const), value: fc.array(fc.boolean()) }),
  fc.record({ type: fc.constant("string[]" as const), value: fc.array(fc.string(), { maxLength: 300 }) }),
);

test("property: written headers are read back, and tensors follow one another without gaps", () => {
  const tensor = fc.record({
    dims: fc.array(fc.integer({ min: 1, max: 99 }), { maxLength: 4 }),
    type: fc.nat(30),
    bytes: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), field), fc.array(tensor), (metadata, list) => {
      const tensors = list.map((one, i) => ({ ...one, name: `t${i}` }));
      const bytes = writeGgufHeader(metadata, tensors);
      const header = readGgufHeader(bytes);
      expect(Object.fromEntries(header.metadata)).toEqual(
        Object.fromEntries(Object.entries(metadata).map(([key, { value }]) => [key, value])),
      );
      expect(bytes.length).toBe(header.dataStart);
      let end = 0;
      header.tensors.forEach(({ offset, ...rest }, i) => {
        const { bytes: size, ...expected } = tensors[i]!;
        expect(rest).toEqual(expected);
        expect(offset % 32).toBe(0);
        expect(offset - end).toBeGreaterThanOrEqual(0);
        expect(offset - end).toBeLessThan(32);
        end = offset + size;
      });
    }),
  );
});

test("tensors follow the alignment that the metadata states", () => {
  const tensors = [1, 2].map((n) => ({ name: `t${n}`, dims: [1], type: 0, bytes: 4 }));
  const bytes = writeGgufHeader({ "general.alignment": { type: "uint32", value: 128 } }, tensors);
  const header = readGgufHeader(bytes);
  expect(header.tensors.map(({ offset }) => offset)).toEqual([0, 128]);
  expect([bytes.length, header.dataStart % 128]).toEqual([header.dataStart, 0]);
  expect(() => writeGgufHeader({ "general.alignment": { type: "uint32", value: 0 } }, [])).toThrow(
    /writeGgufHeader: `metadata.general.alignment` is 0/,
  );
});

test("golden: the bytes of a small header", () => {
  const bytes = writeGgufHeader({ a: { type: "int32[]", value: [-2] } }, [
    { name: "w", dims: [3, 4], type: 1, bytes: 24 },
  ]);
  const expected = file(
    [entry("a", 9, [...u32(5), ...u64(1), ...u32(2 ** 32 - 2)])],
    [[...text("w"), ...u32(2), ...u64(3), ...u64(4), ...u32(1), ...u64(0)]],
  );
  expect([...bytes.slice(0, expected.length)]).toEqual([...expected]);
  expect(() =>
    writeGgufHeader(
      {},
      [1, 2].map((size) => ({ name: "w", dims: [size], type: 0, bytes: 4 })),
    ),
  ).toThrow(/`tensors` is "w", expected names that no other tensor has/);
});

test("the header of a real file is read", () => {
  const { metadata } = readGgufHeader(referenceData.bytes("tokenizers/vocab/gguf/phi-3.gguf"));
  expect(metadata.get("general.architecture")).toBe("phi3");
  expect(metadata.get("tokenizer.ggml.tokens")).toHaveLength(32064);
  expect((metadata.get("tokenizer.ggml.token_type") as number[]).slice(0, 4)).toEqual([3, 3, 4, 6]);
});

test("duplicate metadata keys and duplicate tensor names are refused", () => {
  const tensor = [...text("w"), ...u32(0), ...u32(0), ...u64(0)];
  expect(() => readGgufHeader(file([entry("a", 0, [1]), entry("a", 0, [2])]))).toThrow(
    /metadata\[1\].key` is "a", expected each key once/,
  );
  expect(() => readGgufHeader(file([], [tensor, tensor]))).toThrow(
    /tensors\[1\].name` is "w", expected each name once/,
  );
});
