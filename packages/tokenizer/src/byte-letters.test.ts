import { expect, test } from "vitest";
import { byteLetters, byteOfLetter, bytesInOrder } from "./byte-letters.js";

test("each byte has a letter of its own", () => {
  expect(byteLetters.length).toBe(256);
  expect(byteOfLetter.size).toBe(256);
  expect(byteLetters.every((letter, byte) => byteOfLetter.get(letter) === byte)).toBe(true);
});

test("golden: letters and order as GPT-2's vocabulary has them", () => {
  expect([0x0a, 0x20, 0x41, 0x7f, 0xa0, 0xad, 0xff].map((byte) => byteLetters[byte])).toEqual([
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
    expect(byteLetters[bytesInOrder[Number(place)]!]).toBe(letter);
  }
});
