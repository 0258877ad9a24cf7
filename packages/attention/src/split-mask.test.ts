// Masks made of tensors whose numbers are pending, on a device that only `await read()` reads. Attention applies them on the device.
import { mapTensors, randn, tensor, valueAndGrad, type Device, type Tensor, sum, js } from "@qkv/tensor";
import { pendingDevice } from "@qkv/test-support/pending-device";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { attention } from "./attention.js";
import { and } from "./masks/and.js";
import { causal } from "./masks/causal.js";
import { maskTensor } from "./masks/mask-tensor.js";
import { not } from "./masks/not.js";
import { padding } from "./masks/padding.js";
import { selectedKeys } from "./sparse/selected-keys.js";

const [B, H, D] = [2, 4, 3] as const;
const pending = pendingDevice();

type Sizes = { T: number; earlier: number; start: number };
const sizes: fc.Arbitrary<Sizes> = fc.record({
  T: fc.integer({ min: 1, max: 5 }),
  earlier: fc.nat(3),
  start: fc.nat(2),
});

/** Attention and its gradients on a device. Queries are the last T of the stored tokens, the first of which is at position `start`. */
async function run(
  device: Device,
  { T, earlier, start }: Sizes,
  maskOn: (device: Device, S: number) => ReturnType<typeof causal>,
): Promise<ArrayLike<number | bigint>[]> {
  const S = T + earlier;
  const inputs = {
    query: randn([B, H, T, D], { seed: 1 }),
    key: randn([B, 2, S, D], { seed: 2 }),
    value: randn([B, 2, S, D], { seed: 3 }),
  };
  const loss = ({ query, key, value }: typeof inputs) =>
    sum(
      attention(
        query,
        { key: [key], value: [value], positions: { start } },
        { mask: maskOn(device, start + S) },
      ),
    );
  const [y, gradients] = valueAndGrad(loss)(mapTensors(inputs, (x) => x.to(device)));
  return Promise.all([y, ...Object.values(gradients)].map((x: Tensor) => x.read()));
}

async function expectEqual(sizes: Sizes, maskOn: Parameters<typeof run>[2]): Promise<void> {
  const [ours, right] = await Promise.all([run(pending, sizes, maskOn), run(js(), sizes, maskOn)]);
  ours.forEach((own, i) => expect(own).toBeAllclose(right[i]!, { rtol: 0, atol: 1e-6 }));
}

describe("pending numbers", () => {
  test("property: a pending bool tensor masks the same pairs as on the host, also combined with masks known there", async () => {
    const broadcast = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean());
    await fc.assert(
      fc.asyncProperty(sizes, broadcast, fc.nat(2 ** 30 - 1), fc.boolean(), (sizes, ones, bits, alone) =>
        expectEqual(sizes, (device, S) => {
          const shape = [B, H, sizes.T, S].map((n, axis) => (ones[axis] ? 1 : n));
          const seen = Array.from(
            { length: shape.reduce((a, b) => a * b) },
            (_, i) => ((bits >> (i % 29)) & 1) === 1,
          );
          const own = maskTensor(tensor(seen, { shape, dtype: "bool" }).to(device));
          return alone ? own : and(causal(), own, padding([S, S - 1]));
        }),
      ),
      { numRuns: 60 },
    );
  });

  test("property: pending selected keys give the same as on the host", async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes,
        fc.constantFrom(1, 2, 4),
        fc.constantFrom(1, B),
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.integer({ min: -1, max: 9 }), { minLength: 1, maxLength: 7 }),
        (sizes, groups, batches, blockSize, drawn) =>
          expectEqual(sizes, (device) => {
            const shape = [batches, groups, sizes.T, 3];
            const indices = Array.from(
              { length: shape.reduce((a, b) => a * b) },
              (_, i) => drawn[(i * i) % drawn.length]!,
            );
            const chosen = tensor(indices, { shape, dtype: "int32" }).to(device);
            return and(causal(), selectedKeys(chosen, blockSize));
          }),
      ),
      { numRuns: 60 },
    );
  });

  test("calls of other sizes are refused, and the error for a read on the host says to await the numbers", () => {
    const x = randn([1, 1, 2, D], { seed: 1 }).to(pending);
    const all = tensor(new Array<number>(9).fill(1), { shape: [3, 3], dtype: "bool" });
    const square = maskTensor(all.to(pending));
    expect(() => attention(x, x, x, { mask: square })).toThrow(/^maskTensor: `visible` has shape \[3, 3\]/);
    const indices = tensor([0, 0, 0], { shape: [1, 3, 1], dtype: "int32" }).to(pending);
    expect(() => attention(x, x, x, { mask: selectedKeys(indices) })).toThrow(
      /^selectedKeys: `indices` has shape \[1, 3, 1\], expected indices for B = 1 batches/,
    );
    const seen = maskTensor(tensor([true, false]).to(pending));
    expect(() => attention(x, x, x, { mask: not(seen) })).toThrow("the numbers of this tensor are pending");
  });
});
