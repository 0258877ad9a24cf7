import fc from "fast-check";
import { expect, test } from "vitest";
import { byteDecodeStream } from "./byte-decode-stream.js";

const bos = 256;
const pieces = Array.from({ length: 257 }, (_, byte) =>
  byte < 256 ? Uint8Array.of(byte) : new Uint8Array(),
);

const decode = (ids: Iterable<number>) => {
  const decoder = byteDecodeStream(pieces, bos);
  return Array.from(ids, (id) => decoder.push(id)).join("") + decoder.end();
};

test("property: bytes pushed one at a time decode to the text, and each push returns only complete characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const decoder = byteDecodeStream(pieces, bos);
      const pushed = Array.from(new TextEncoder().encode(text), (byte) => decoder.push(byte));
      expect(pushed.filter((part) => part !== "")).toEqual([...text]);
      expect(decoder.end()).toBe("");
    }),
  );
});

test("property: any bytes, pushed one at a time, decode to the same text as with TextDecoder", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decode(bytes)).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
    }),
  );
});

test("an incomplete character becomes one U+FFFD, and the decoder is reset", () => {
  const decoder = byteDecodeStream(pieces, bos);
  expect(decoder.push(0xf0) + decoder.push(0x9f)).toBe("");
  expect(decoder.end()).toBe("\uFFFD");
  expect(decoder.push(0x41)).toBe("A");
  expect(decoder.push(bos) + decoder.end()).toBe("");
  expect(decoder.push(0x20)).toBe(" "); // a new text, without a beginning before it
});

test("one space is dropped directly after the BOS token, and nowhere else", () => {
  const [A, space] = [0x41, 0x20];
  expect(decode([bos, space, space, A])).toBe(" A");
  expect(decode([bos, A, space])).toBe("A ");
  expect(decode([space, A])).toBe(" A");
  expect(decode([A, bos, space, A])).toBe("AA");
});

test("an id outside the vocabulary is refused", () => {
  for (const id of [257, -1, 0.5, NaN]) {
    expect(() => decode([id])).toThrow(
      /decode: `id` is .*, expected a token id from 0 to 256\.\nFix: decode with/,
    );
  }
});
