import { dropout, grad, ones, permute, randn, sum, uniform, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { wasm } from "../wasm.js";

const keptMask = ({ data }: Tensor) => Array.from(data, (number) => number !== 0);

test("property: dropout zeroes the same elements as the plain device, for any length, rate, seed and number of threads", async () => {
  const devices = [await wasm({ threads: 1 }), await wasm({ threads: 2 })];
  const rate = fc.oneof(
    fc.constantFrom(0, 0.1, 0.5, 1 - 2 ** -52),
    fc.double({ min: 0, max: 0.999, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40 }), rate, fc.maxSafeInteger(), (length, rate, seed) => {
      const x = randn([3, length], { seed: 1 });
      const plain = dropout(x, { rate, seed });
      for (const device of devices) {
        const result = dropout(x.to(device), { rate, seed });
        expect(keptMask(result)).toEqual(keptMask(plain));
        expect(result.data).toBeAllclose(plain.data, { rtol: 2e-7, atol: 0 });
      }
    }),
  );
});

test("an element is dropped exactly if its 52-bit random number is below the rate", async () => {
  const device = await wasm({ threads: 1 });
  const seed = 9;
  const integers = Array.from(uniform([8], { seed, dtype: "float64" }).data, (number) =>
    Math.floor(number * 2 ** 52),
  );
  const x = ones([8], { device });
  integers.forEach((integer, n) => {
    const isElementKept = (rate: number) => keptMask(dropout(x, { rate, seed }))[n];
    expect([isElementKept(integer / 2 ** 52), isElementKept((integer + 1) / 2 ** 52)]).toEqual([true, false]);
  });
});

test("several threads, and a view that is not contiguous, zero the same elements as the plain device", async () => {
  const device = await wasm({ threads: 2 });
  const x = randn([130, 257], { seed: 2 });
  const options = { rate: 0.3, seed: -5 };
  expect(dropout(x.to(device), options).data).toBeAllclose(dropout(x, options).data, { rtol: 2e-7, atol: 0 });
  const swapped = (y: Tensor) => dropout(permute(y, [1, 0]), options);
  expect(swapped(x.to(device)).data).toBeAllclose(swapped(x).data, { rtol: 2e-7, atol: 0 });
});

test("the gradient is zero for the same elements, without the plain kernel", async () => {
  const device = await wasm({ threads: 1 });
  const x = randn([64, 33], { seed: 3, device });
  const options = { rate: 0.25, seed: 4 };
  const slope = grad((y: Tensor) => sum(dropout(y, options)))(x);
  expect(keptMask(slope)).toEqual(keptMask(dropout(x, options)));
  expect(device.report().calls["dropout"]).toMatchObject({ plain: 0 });
});
