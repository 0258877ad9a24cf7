import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { casesByTier } from "../../../../scripts/tier.mjs";
import { checkGradient } from "../check-gradient.js";
import { tensor, zeros } from "../create.js";
import { add } from "../ops/add.js";
import { mul } from "../ops/mul.js";
import { square } from "../ops/square.js";
import { sum } from "../ops/sum.js";
import { transpose } from "../ops/transpose.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import type { Complex } from "./dft.js";
import { fft, ifft } from "./fft.js";
import { irfft, rfft } from "./rfft.js";

const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const complex = (shape: number[], seed: number): Complex => ({
  real: random(shape, seed),
  imag: random(shape, seed + 1),
});
const near = { rtol: 0, atol: 1e-10 };
const lengths = fc.oneof(
  fc.integer({ min: 1, max: 80 }),
  fc.constantFrom(64, 96, 100, 101, 121, 128, 37 * 3, 41 * 41, 400, 512),
);

test("property: fft equals the sum of its definition, for any length", () => {
  fc.assert(
    fc.property(lengths, fc.integer(), fc.nat(1000), (n, seed, k) => {
      const x = complex([n], seed);
      const y = fft(x);
      let [real, imag] = [0, 0];
      for (let j = 0; j < n; j++) {
        const angle = (-2 * Math.PI * ((j * (k % n)) % n)) / n;
        real += x.real.data[j]! * Math.cos(angle) - x.imag.data[j]! * Math.sin(angle);
        imag += x.real.data[j]! * Math.sin(angle) + x.imag.data[j]! * Math.cos(angle);
      }
      expect(y.real.data[k % n]).toBeCloseTo(real, 9);
      expect(y.imag.data[k % n]).toBeCloseTo(imag, 9);
    }),
    { numRuns: 60 },
  );
});

test("property: the inverse transform restores the numbers, and a transform divided by √n preserves their norm", () => {
  const norms = fc.constantFrom("backward" as const, "ortho" as const, "forward" as const);
  fc.assert(
    fc.property(lengths, fc.integer(), norms, (n, seed, norm) => {
      const x = complex([2, n], seed);
      const back = ifft(fft(x, { norm }), { norm });
      expect(back.real).toBeAllclose(x.real, near);
      expect(back.imag).toBeAllclose(x.imag, near);
      expect(irfft(rfft(x.real, { norm }), { norm, n })).toBeAllclose(x.real, near);
      const energy = ({ real, imag }: Complex) => sum(add(square(real), square(imag))).data[0]!;
      expect(energy(fft(x, { norm: "ortho" })) / energy(x)).toBeCloseTo(1, 10);
    }),
    { numRuns: 40 },
  );
});

test("property: rfft is the first half of fft, along any axis, truncated or padded", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer(),
      (length, n, seed) => {
        const x = random([3, length], seed);
        const half = Math.floor(n / 2) + 1;
        const all = fft({ real: x, imag: zeros([3, length], { dtype: "float64" }) }, { n });
        const across = rfft(transpose(x), { n, axis: 0 });
        expect(across.real.shape).toEqual([half, 3]);
        const first = (y: Tensor) => (y.toNested() as number[][]).map((row) => row.slice(0, half));
        for (const part of ["real", "imag"] as const)
          expect(transpose(across[part])).toBeAllclose(tensor(first(all[part]), { dtype: "float64" }), near);
      },
    ),
    { numRuns: 40 },
  );
});

test.each(casesByTier([5, 12, 49, 66], (n) => n < 49))(
  "gradients of all four transforms of length %s equal central differences",
  (n) => {
    const x = complex([n], 1);
    const weigh = (y: Tensor) => sum(mul(y, random([...y.shape], 9)));
    const both = ({ real, imag }: Complex) => add(weigh(real), weigh(square(imag)));
    expect(() => checkGradient((z: Complex) => both(fft(z)), x)).not.toThrow();
    expect(() => checkGradient((z: Complex) => both(ifft(z, { norm: "ortho" })), x)).not.toThrow();
    expect(() => checkGradient((z: Tensor) => both(rfft(z)), x.real)).not.toThrow();
    expect(() => checkGradient((z: Complex) => weigh(irfft(z, { n: 2 * n - 1 })), x)).not.toThrow();
    expect(() => checkGradient((z: Complex) => weigh(irfft(z)), x)).not.toThrow();
  },
);

test("results in float32 have errors of the size of float32 rounding", () => {
  const x = randn([4096], { seed: 1 });
  const exact = rfft(tensor([...x.data], { dtype: "float64" }));
  const size = Math.max(...exact.real.data.map(Math.abs));
  rfft(x).real.data.forEach((value, k) =>
    expect(Math.abs(value - exact.real.data[k]!) / size).toBeLessThan(1e-6),
  );
});

test("invalid arguments are refused, with the fix", () => {
  const x = zeros([4]);
  expect(() => fft({ real: x, imag: zeros([3]) })).toThrow(
    /^fft: `imag` is "float32 \[3\]", expected float32 \[4\], as real is/,
  );
  expect(() => fft(x as never)).toThrow(
    /^fft: `x` is .*expected complex numbers: `\{ real, imag \}`.*\n?.*`rfft`/,
  );
  expect(() => rfft(zeros([4], { dtype: "int32" }))).toThrow(/^rfft: .*expected float32 or float64/);
  expect(() => rfft(x, { n: 0 })).toThrow(/`n` is 0/);
  expect(() => rfft(x, { norm: "unitary" as never })).toThrow(
    /`norm` is "unitary", expected "backward", "ortho" or "forward"/,
  );
  expect(() => rfft(zeros([2, 0]))).toThrow(/expected a number or more on axis 1/);
  expect(() => irfft({ real: x, imag: x }, { axis: 1 })).toThrow(/^irfft: `axis` is 1/);
});
