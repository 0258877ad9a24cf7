import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHalfBits, packHalf, toHalfBits, unpackHalf } from "./half.js";

type Half = { [index: number]: number };
const Float16 = (globalThis as { Float16Array?: new (buffer: ArrayBuffer) => Half }).Float16Array;

/** Rounds the bits of a float32 to their upper half, ties to even: bfloat16 by its definition. */
function roundToBfloat16(x: number): number {
  const bits = new Uint32Array(new Float32Array([x]).buffer)[0]!;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

test.each(["float16", "bfloat16"] as const)(
  "each of the 65,536 patterns of %s is converted to a number and back without a change",
  (type) => {
    const different: number[] = [];
    for (let bits = 0; bits < 65536; bits++) {
      const value = fromHalfBits(bits, type);
      const back = toHalfBits(value, type);
      if (Number.isNaN(value) ? !Number.isNaN(fromHalfBits(back, type)) : back !== bits) different.push(bits);
    }
    expect(different).toEqual([]);
  },
);

test.skipIf(!Float16)("fromHalfBits agrees with Float16Array for every pattern", () => {
  const bits = new Uint16Array(1);
  const engine = new Float16!(bits.buffer);
  const different: number[] = [];
  for (bits[0] = 0; ; bits[0]++) {
    if (!Object.is(fromHalfBits(bits[0], "float16"), engine[0])) different.push(bits[0]);
    if (bits[0] === 65535) break;
  }
  expect(different).toEqual([]);
});

test.skipIf(!Float16)("property: toHalfBits rounds to float16 as Float16Array does", () => {
  const bits = new Uint16Array(1);
  const engine = new Float16!(bits.buffer);
  const nearMidpoints = fc.tuple(fc.nat(0x7bff), fc.constantFrom(-1, 0, 1)).map(([pattern, side]) => {
    // The midpoint of two neighbouring numbers, or just beside it.
    const middle = (fromHalfBits(pattern, "float16") + fromHalfBits(pattern + 1, "float16")) / 2;
    return middle * (1 + side * 2 ** -50);
  });
  const numbers = fc.oneof(
    nearMidpoints.filter(Number.isFinite),
    fc.double(),
    fc.double({ min: -70000, max: 70000 }),
    fc.double({ min: -1e-4, max: 1e-4 }),
    fc.constantFrom(
      65504,
      65519.99,
      65520,
      65536,
      2 ** -24,
      2 ** -25,
      2 ** -25 * 1.0000001,
      2 ** -26,
      5e-324,
      -0,
    ),
  );
  fc.assert(
    fc.property(numbers, (x) => {
      engine[0] = x;
      if (Number.isNaN(x)) expect(fromHalfBits(toHalfBits(x, "float16"), "float16")).toBeNaN();
      else expect(toHalfBits(x, "float16")).toBe(bits[0]);
    }),
    { numRuns: 2000 },
  );
});

test("property: bfloat16 is a float32 rounded to its upper bits", () => {
  const numbers = fc.oneof(
    fc.float({ noNaN: true }),
    fc.integer().map((bits) => new Float32Array(new Int32Array([bits & ~0x7fff]).buffer)[0]!),
    fc.constantFrom(-0, 3.4e38, 2 ** -133, 2 ** -134, 2 ** -135),
  );
  fc.assert(
    fc.property(numbers, (x) => {
      if (!Number.isNaN(x)) expect(toHalfBits(x, "bfloat16")).toBe(roundToBfloat16(x));
    }),
    { numRuns: 1000 },
  );
});

test("golden: ties are rounded to even, and too large numbers become infinity", () => {
  expect(fromHalfBits(toHalfBits(2049, "float16"), "float16")).toBe(2048);
  expect(fromHalfBits(toHalfBits(2051, "float16"), "float16")).toBe(2052);
  expect(fromHalfBits(toHalfBits(2 ** -25, "float16"), "float16")).toBe(0);
  expect(toHalfBits(65519, "float16")).toBe(0x7bff);
  expect(toHalfBits(65520, "float16")).toBe(0x7c00);
  expect(toHalfBits(-1e300, "bfloat16")).toBe(0xff80);
  expect(toHalfBits(NaN, "float16")).toBe(0x7e00);
});

test.each(["float16", "bfloat16"] as const)(
  "packHalf and unpackHalf convert each number of %s as toHalfBits and fromHalfBits do",
  (type) => {
    const halves = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    const numbers = unpackHalf(halves, type);
    expect([...halves].filter((bits) => !Object.is(numbers[bits], fromHalfBits(bits, type)))).toEqual([]);
    const many = Float64Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 10 ** (i % 12));
    expect([...packHalf(many, type)]).toEqual([...many].map((x) => toHalfBits(x, type)));
    expect([...packHalf(Float32Array.from(many), type)]).toEqual(
      [...Float32Array.from(many)].map((x) => toHalfBits(x, type)),
    );
  },
);
