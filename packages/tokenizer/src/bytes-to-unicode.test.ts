import { expect, test } from "vitest";
import { bytesToUnicode, unicodeToByte, gpt2ByteOrder } from "./bytes-to-unicode.js";

test("each byte maps to a different character", () => {
  expect(bytesToUnicode.length).toBe(256);
  expect(unicodeToByte.size).toBe(256);
  expect(bytesToUnicode.every((letter, byte) => unicodeToByte.get(letter) === byte)).toBe(true);
});

test("golden: the characters and their order are those of GPT-2's vocabulary", () => {
  expect([0x0a, 0x20, 0x41, 0x7f, 0xa0, 0xad, 0xff].map((byte) => bytesToUnicode[byte])).toEqual([
    "Ċ",
    "Ġ",
    "A",
    "ġ",
    "ł",
    "Ń",
    "ÿ",
  ]);
  const places = { 0: "!", 93: "~", 94: "¡", 105: "¬", 106: "®", 187: "ÿ", 188: "Ā", 220: "Ġ", 255: "Ń" };
  for (const [place, letter] of Object.entries(places)) {
    expect(bytesToUnicode[gpt2ByteOrder[Number(place)]!]).toBe(letter);
  }
});
