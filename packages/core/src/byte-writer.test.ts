import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";

test("property: ByteReader reads the written fields, also beyond the initial buffer", () => {
  const field = fc.oneof(
    fc.record({ kind: fc.constant("uint32" as const), value: fc.nat() }),
    fc.record({ kind: fc.constant("uint64" as const), value: fc.maxSafeNat() }),
    fc.record({ kind: fc.constant("uint8" as const), value: fc.nat(255) }),
    fc.record({ kind: fc.constant("float32" as const), value: fc.float() }),
  );
  fc.assert(
    fc.property(fc.array(field, { maxLength: 400, size: "max" }), fc.string(), (fields, text) => {
      const writer = new ByteWriter();
      for (const { kind, value } of fields) writer[kind](value);
      writer.text(text);
      const { length } = writer;
      writer.align(32, 7);
      const bytes = writer.finish();
      expect(bytes.length % 32).toBe(0);
      const reader = new ByteReader(bytes, { fn: "test", source: "bytes" });
      for (const { kind, value } of fields) expect(reader[kind]("field")).toBe(value);
      expect(reader.text("text", length - reader.offset)).toBe(
        new TextDecoder().decode(new TextEncoder().encode(text)),
      );
      expect([...reader.bytes("fill", reader.remaining)].every((byte) => byte === 7)).toBe(true);
    }),
  );
});

test("negative integers are written in two's complement", () => {
  const writer = new ByteWriter();
  writer.uint32(-1);
  expect([...writer.finish()]).toEqual([255, 255, 255, 255]);
});
