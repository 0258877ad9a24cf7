import { expect, test } from "vitest";
import { blockTypes } from "./gguf-blocks.js";

test("q4_0, q4_1, q5_0, q5_1: 32 numbers, the first half in lower and the others in upper bits", () => {
  const four = Array.from({ length: 32 }, (_, i) => (5 * i + (i >> 4)) % 16); // no number i is number i + 16
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
  expect(decoded(2, d!, lower(four))).toEqual(four.map((q) => 0.5 * (q - 8)));
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

/** Six bits each, packed as llama.cpp's `get_scale_min_k4` reads them: the upper two bits of the last four stand above the first. */
function packScales(scales: readonly number[], minima: readonly number[]): number[] {
  const bytes = [...scales.slice(0, 4), ...minima.slice(0, 4), 0, 0, 0, 0];
  for (let j = 4; j < 8; j++) {
    bytes[j - 4]! |= (scales[j]! >> 4) << 6;
    bytes[j]! |= (minima[j]! >> 4) << 6;
    bytes[j + 4]! = (scales[j]! & 15) | ((minima[j]! & 15) << 4);
  }
  return bytes;
}

test("q4_k, q5_k: scales and minima have six bits in each of the eight groups", () => {
  // Every group has its own, and each has high bits that no other has.
  const scales = [63, 33, 18, 5, 62, 37, 20, 9];
  const minima = [1, 50, 23, 60, 39, 58, 11, 54];
  const header = [0x00, 0x38, 0x00, 0x3c, ...packScales(scales, minima)]; // d = 0.5, dmin = 1
  const wanted = (q: (i: number) => number) =>
    Array.from({ length: 256 }, (_, i) => 0.5 * scales[i >> 5]! * q(i) - minima[i >> 5]!);

  const four = new Uint8Array(144);
  four.set(header);
  for (let i = 0; i < 256; i++)
    four[16 + 32 * (i >> 6) + (i & 31)]! |= ((7 * i) % 16) << ((i >> 5) % 2 ? 4 : 0);
  expect([...blockTypes[12]!.decode(four)]).toEqual(wanted((i) => (7 * i) % 16));

  const five = new Uint8Array(176);
  five.set(header);
  for (let i = 0; i < 256; i++) {
    const [group, place, q] = [i >> 5, i & 31, (7 * i) % 32];
    five[16 + place]! |= (q >> 4) << group;
    five[48 + 32 * (group >> 1) + place]! |= (q & 15) << (group % 2 ? 4 : 0);
  }
  expect([...blockTypes[13]!.decode(five)]).toEqual(wanted((i) => (7 * i) % 32));
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

test("mxfp4: 32 numbers of 4 bits, the first half in lower bits, and a power of two", () => {
  const bits = Array.from({ length: 32 }, (_, i) => (5 * i + (i >> 4)) % 16);
  const value = (n: number) => (n & 8 ? -1 : 1) * [0, 0.5, 1, 1.5, 2, 3, 4, 6][n & 7]!;
  const pairs = Array.from({ length: 16 }, (_, i) => bits[i]! | (bits[i + 16]! << 4));
  const out = blockTypes[39]!.decode(Uint8Array.from([125, ...pairs, 130, ...pairs]));
  expect([...out]).toEqual([...bits.map((n) => value(n) / 4), ...bits.map((n) => value(n) * 8)]);
});
