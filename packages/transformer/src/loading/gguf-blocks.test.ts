import { expect, test } from "vitest";
import { blockTypes } from "./gguf-blocks.js";

test("q4_0, q4_1, q5_0 and q5_1 blocks have elements 0 to 15 in low nibbles and 16 to 31 in high nibbles", () => {
  const four = Array.from({ length: 32 }, (_, i) => (5 * i + (i >> 4)) % 16); // elements i and i + 16 differ
  const five = Array.from({ length: 32 }, (_, i) => (11 * i) % 32);
  const lower = (q: readonly number[]) =>
    Array.from({ length: 16 }, (_, i) => (q[i]! & 15) | ((q[i + 16]! & 15) << 4));
  const bits = five.reduce((sum, q, i) => sum | ((q >> 4) << i), 0);
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

// A block of 256 elements, with the bits of each element set one by one.
test("q5_k takes the fifth bit of an element from the bytes of high bits", () => {
  const bytes = new Uint8Array(176);
  bytes.set([0x00, 0x38, 0x00, 0x3c]); // d = 0.5, dmin = 1
  bytes.set([3, 3, 3, 3, 2, 2, 2, 2, 0x23, 0x23, 0x23, 0x23], 4); // all eight scales 3, minima 2
  const q = (i: number) => (7 * i) % 32;
  for (let i = 0; i < 256; i++) {
    const [group, index] = [i >> 5, i & 31];
    bytes[16 + index]! |= (q(i) >> 4) << group;
    bytes[48 + 32 * (group >> 1) + index]! |= (q(i) & 15) << (group % 2 ? 4 : 0);
  }
  const out = blockTypes[13]!.decode(bytes);
  expect([...out]).toEqual(Array.from({ length: 256 }, (_, i) => 0.5 * 3 * q(i) - 2));
});

/** Packs values of six bits as llama.cpp's `get_scale_min_k4` reads them: the upper two bits of the last four are in the upper bits of the first four bytes. */
function packScales(scales: readonly number[], minima: readonly number[]): number[] {
  const bytes = [...scales.slice(0, 4), ...minima.slice(0, 4), 0, 0, 0, 0];
  for (let j = 4; j < 8; j++) {
    bytes[j - 4]! |= (scales[j]! >> 4) << 6;
    bytes[j]! |= (minima[j]! >> 4) << 6;
    bytes[j + 4]! = (scales[j]! & 15) | ((minima[j]! & 15) << 4);
  }
  return bytes;
}

test("q4_k and q5_k decode the six-bit scale and minimum of each of the eight groups", () => {
  // The scales and minima of all groups differ, also in their high bits.
  const scales = [63, 33, 18, 5, 62, 37, 20, 9];
  const minima = [1, 50, 23, 60, 39, 58, 11, 54];
  const header = [0x00, 0x38, 0x00, 0x3c, ...packScales(scales, minima)]; // d = 0.5, dmin = 1
  const expected = (q: (i: number) => number) =>
    Array.from({ length: 256 }, (_, i) => 0.5 * scales[i >> 5]! * q(i) - minima[i >> 5]!);

  const four = new Uint8Array(144);
  four.set(header);
  for (let i = 0; i < 256; i++)
    four[16 + 32 * (i >> 6) + (i & 31)]! |= ((7 * i) % 16) << ((i >> 5) % 2 ? 4 : 0);
  expect([...blockTypes[12]!.decode(four)]).toEqual(expected((i) => (7 * i) % 16));

  const five = new Uint8Array(176);
  five.set(header);
  for (let i = 0; i < 256; i++) {
    const [group, index, q] = [i >> 5, i & 31, (7 * i) % 32];
    five[16 + index]! |= (q >> 4) << group;
    five[48 + 32 * (group >> 1) + index]! |= (q & 15) << (group % 2 ? 4 : 0);
  }
  expect([...blockTypes[13]!.decode(five)]).toEqual(expected((i) => (7 * i) % 32));
});

test("q6_k combines four low and two high bits, and has a scale per 16 elements", () => {
  const bytes = new Uint8Array(210);
  bytes.set([0x00, 0x34], 208); // d = 0.25
  const q = (i: number) => (11 * i) % 64;
  for (let n = 0; n < 16; n++) bytes[192 + n] = (n - 8) & 255;
  for (let i = 0; i < 256; i++) {
    // The low bits of 128 elements are in 64 bytes: the first 64 elements in low nibbles. Four elements share a byte of high bits.
    const [part, rest] = [Math.floor(i / 128), i % 128];
    bytes[64 * part + (rest % 64)]! |= (q(i) & 15) << (rest < 64 ? 0 : 4);
    bytes[128 + 32 * part + (rest % 32)]! |= (q(i) >> 4) << (2 * Math.floor(rest / 32));
  }
  const out = blockTypes[14]!.decode(bytes);
  // Adding 0 turns -0 into 0.
  expect([...out].map((x) => x + 0)).toEqual(
    Array.from({ length: 256 }, (_, i) => 0.25 * (Math.floor(i / 16) - 8) * (q(i) - 32) + 0),
  );
});

test("mxfp4 blocks have an exponent byte and 32 4-bit floats, elements 0 to 15 in low nibbles", () => {
  const bits = Array.from({ length: 32 }, (_, i) => (5 * i + (i >> 4)) % 16);
  const value = (n: number) => (n & 8 ? -1 : 1) * [0, 0.5, 1, 1.5, 2, 3, 4, 6][n & 7]!;
  const pairs = Array.from({ length: 16 }, (_, i) => bits[i]! | (bits[i + 16]! << 4));
  const out = blockTypes[39]!.decode(Uint8Array.from([125, ...pairs, 130, ...pairs]));
  expect([...out]).toEqual([...bits.map((n) => value(n) / 4), ...bits.map((n) => value(n) * 8)]);
});
