import { expect, test } from "vitest";
import { blockTypes } from "./gguf-blocks.js";

test("q4_1, q5_0, q5_1: 32 numbers, the first half in lower and the others in upper bits", () => {
  const four = Array.from({ length: 32 }, (_, i) => (5 * i) % 16);
  const five = Array.from({ length: 32 }, (_, i) => (11 * i) % 32);
  const lower = (q: readonly number[]) =>
    Array.from({ length: 16 }, (_, i) => (q[i]! & 15) | ((q[i + 16]! & 15) << 4));
  const bits = five.reduce((all, q, i) => all | ((q >> 4) << i), 0);
  const high = [0, 8, 16, 24].map((shift) => (bits >>> shift) & 255);
  const [d, min] = [
    [0x00, 0x38],
    [0x00, 0xbc],
  ]; // 0.5 and -1
  const decoded = (type: number, ...fields: readonly number[][]) => [
    ...blockTypes[type]!.decode(Uint8Array.from(fields.flat())),
  ];
  expect(decoded(3, d!, min!, lower(four))).toEqual(four.map((q) => 0.5 * q - 1));
  expect(decoded(6, d!, high, lower(five))).toEqual(five.map((q) => 0.5 * (q - 16)));
  expect(decoded(7, d!, min!, high, lower(five))).toEqual(five.map((q) => 0.5 * q - 1));
});

/** Blocks of 256 numbers from what ggml calls their fields, each number's bits put in place one by one. */
test("q5_k: a fifth bit from the bytes of high bits", () => {
  const bytes = new Uint8Array(176);
  bytes.set([0x00, 0x38, 0x00, 0x3c]); // d = 0.5, dmin = 1
  bytes.set([3, 3, 3, 3, 2, 2, 2, 2, 0x23, 0x23, 0x23, 0x23], 4); // all eight scales 3, minima 2
  const q = (i: number) => (7 * i) % 32;
  for (let i = 0; i < 256; i++) {
    const [group, place] = [i >> 5, i & 31];
    bytes[16 + place]! |= (q(i) >> 4) << group;
    bytes[48 + 32 * (group >> 1) + place]! |= (q(i) & 15) << (group % 2 ? 4 : 0);
  }
  const out = blockTypes[13]!.decode(bytes);
  expect([...out]).toEqual(Array.from({ length: 256 }, (_, i) => 0.5 * 3 * q(i) - 2));
});

test("q6_k: six bits in two places, a scale for 16 numbers", () => {
  const bytes = new Uint8Array(210);
  bytes.set([0x00, 0x34], 208); // d = 0.25
  const q = (i: number) => (11 * i) % 64;
  for (let n = 0; n < 16; n++) bytes[192 + n] = (n - 8) & 255;
  for (let i = 0; i < 256; i++) {
    // Of each 128 numbers: the first 64 lie in lower, the others in upper halves of 64 bytes; four of them share a byte of high bits.
    const [part, rest] = [Math.floor(i / 128), i % 128];
    bytes[64 * part + (rest % 64)]! |= (q(i) & 15) << (rest < 64 ? 0 : 4);
    bytes[128 + 32 * part + (rest % 32)]! |= (q(i) >> 4) << (2 * Math.floor(rest / 32));
  }
  const out = blockTypes[14]!.decode(bytes);
  // -0 and 0 are one number.
  expect([...out].map((x) => x + 0)).toEqual(
    Array.from({ length: 256 }, (_, i) => 0.25 * (Math.floor(i / 16) - 8) * (q(i) - 32) + 0),
  );
});
