import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { sinusoidal } from "./sinusoidal.js";

const width = fc.integer({ min: 1, max: 6 }).map((half) => 2 * half);
const place = fc.nat(3000);

test("property: moving by k positions rotates each pair by the same angle, whatever the position", () => {
  fc.assert(
    fc.property(width, place, fc.nat(200), (embedDim, start, k) => {
      const { data } = sinusoidal([start, start + k], embedDim, { dtype: "float64" });
      for (let i = 0; i < embedDim; i += 2) {
        const angle = k * 10000 ** (-i / embedDim);
        const [sine, cosine] = [data[i]!, data[i + 1]!];
        const [later, laterCosine] = [data[embedDim + i]!, data[embedDim + i + 1]!];
        expect(later).toBeCloseTo(sine * Math.cos(angle) + cosine * Math.sin(angle), 10);
        expect(laterCosine).toBeCloseTo(cosine * Math.cos(angle) - sine * Math.sin(angle), 10);
      }
    }),
  );
});

test("golden: position 3 with embedDim 4, and other bases", () => {
  const of = (base?: number) =>
    sinusoidal([3], 4, { dtype: "float64", ...(base !== undefined && { base }) }).data;
  const exact = { rtol: 0, atol: 5e-15 };
  expect(of()).toBeAllclose([Math.sin(3), Math.cos(3), Math.sin(0.03), Math.cos(0.03)], exact);
  expect(of(100)).toBeAllclose([Math.sin(3), Math.cos(3), Math.sin(0.3), Math.cos(0.3)], exact);
  expect(sinusoidal(5, 6).data).toEqual(sinusoidal([0, 1, 2, 3, 4], 6).data);
  expect([sinusoidal(5, 6).dtype, sinusoidal(0, 6).shape]).toEqual(["float32", [0, 6]]);
});

test("odd widths and invalid counts are refused, with the fix", () => {
  expect(() => sinusoidal(2, 3)).toThrow(
    /sinusoidal: `embedDim` is 3, expected an even number, 0 or more.\nFix: each wave has a sine and a cosine/,
  );
  expect(() => sinusoidal(1.5, 4)).toThrow(
    /`positions` is 1.5, expected an integer number of tokens, 0 or more/,
  );
  expect(() => sinusoidal(2, 4, { base: 0 })).toThrow(/`base` is 0, expected a finite number, above 0/);
});
