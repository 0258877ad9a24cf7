import { concat, pad, permute, randint, randn, stridedSlice, type Tensor } from "@qkv/tensor";
import { conv2d } from "@qkv/tensor/convolutions";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { wasm } from "../wasm.js";
import type { WasmDevice } from "../device.js";

const length = fc.constantFrom(1, 2, 3, 4, 7, 16, 33);
const lengths = fc.tuple(length, fc.integer({ min: 1, max: 5 }), fc.constantFrom(1, 2, 3, 4, 7, 33, 300));
const orders = [
  [0, 1, 2],
  [2, 0, 1],
  [1, 0, 2],
];

describe.each(["wasm", "wasm with two threads"])("%s", (name) => {
  let device: WasmDevice;
  beforeAll(async () => (device = await wasm(name === "wasm" ? {} : { threads: 2 })));
  afterAll(() => device.close());

  /** Expects the result of the plain device, bit for bit, and that kernels of the device computed it. */
  function expectSame(f: (...inputs: Tensor[]) => Tensor, inputs: Tensor[], ops: string[]) {
    const runs = (kind: "device" | "plain") => ops.map((op) => device.report().calls[op]?.[kind] ?? 0);
    const [before, plain] = [runs("device"), runs("plain")];
    const result = device.scope(() => f(...inputs.map((x) => x.to(device))));
    const expected = f(...inputs);
    expect([result.shape, result.data]).toEqual([expected.shape, expected.data]);
    expect(runs("plain")).toEqual(plain);
    runs("device").forEach((count, i) => expect(count, ops[i]!).toBeGreaterThan(before[i]!));
  }

  test("property: concat of tensors of any strides along any axis equals the plain device", () => {
    const part = fc.record({
      order: fc.constantFrom(...orders),
      length,
      step: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(
        lengths,
        fc.nat(2),
        fc.array(part, { minLength: 1, maxLength: 3 }),
        (shape, axis, parts) => {
          const inputs = parts.map(({ order, length: partLength, step }, seed) => {
            const wanted = shape.map((n, i) => (i === axis ? partLength : n));
            const stored = [0, 0, 0];
            order.forEach((from, to) => (stored[from] = wanted[to]! * (to === 2 ? step : 1)));
            return randn(stored, { seed });
          });
          const views = (x: Tensor, i: number) => {
            const { order, step } = parts[i]!;
            const y = permute(x, order);
            return stridedSlice(y, [[], [], [0, y.shape[2]!, step]]);
          };
          expectSame((...tensors) => concat(tensors.map(views), axis), inputs, ["concat"]);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("property: pad of any axis with any number equals the plain device", () => {
    const count = fc.constantFrom(0, 1, 2, 5, 300);
    const value = fc.constantFrom(0, 2.5, -Infinity, NaN);
    fc.assert(
      fc.property(lengths, fc.nat(2), count, count, value, (shape, axis, before, after, value) => {
        expectSame(
          (x) => pad(permute(x, [1, 2, 0]), axis, before, after, value),
          [randn(shape, { seed: 1 })],
          ["pad"],
        );
      }),
      { numRuns: 30 },
    );
  });

  test("int32 tensors, and tensors of several work items, are concatenated and padded as on the plain device", () => {
    const ids = randint([3, 4], { high: 9, seed: 1 });
    expectSame((x) => pad(concat([x, x], 0), 1, 1, 0, -100), [ids], ["pad", "concat"]);
    expectSame((x) => concat([x, x], 1), [randn([2, 40_000], { seed: 1 })], ["concat"]);
    expectSame((x) => pad(x, 0, 3, 1), [randn([40_000, 2], { seed: 1 })], ["pad"]);
  });

  test("a strided, padded and grouped convolution agrees with the plain device", () => {
    const [x, weight] = [randn([2, 4, 9, 11], { seed: 1 }), randn([6, 2, 3, 3], { seed: 2 })];
    const f = (x: Tensor, weight: Tensor) => conv2d(x, weight, { stride: [2, 1], padding: 1, groups: 2 });
    const result = device.scope(() => f(x.to(device), weight.to(device)));
    expect(result).toBeAllclose(f(x, weight), { atol: 1e-5 });
  });
});
