import {
  add,
  exp,
  js,
  matmul,
  mul,
  permute,
  randn,
  rmsNorm,
  silu,
  slice,
  softmax,
  tensor,
  transpose,
  type Device,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";
import type { WasmOptions } from "./options.js";
import { wasm } from "./wasm.js";

describe.each(["plain", "relaxed"] as const)("the %s build", (build) => {
  let device: Device;
  beforeAll(async () => {
    device = await wasm({ build });
  });

  /** The same function on both devices, inside and outside of a scope. */
  function agree(f: (...inputs: Tensor[]) => Tensor, inputs: Tensor[], tolerance = 2e-5): void {
    const expected = f(...inputs);
    const moved = inputs.map((x) => x.to(device));
    const results = [
      f(...moved),
      device.scope(() => f(...moved)),
      device.scope(() => f(...inputs.map((x) => like(x, device)))),
    ];
    for (const result of results) {
      expect(result.shape).toEqual(expected.shape);
      expect(result.device).toBe(device);
      expect(result.data).toBeAllclose(expected.data, {
        rtol: 0,
        atol: tolerance,
        scaled: true,
        equalNan: true,
      });
    }
  }

  const size = fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 64, 97, 130);
  const seed = fc.nat(1e6);

  test("property: matrix products of any size, strides and batch equal the plain device", () => {
    fc.assert(
      fc.property(size, size, size, fc.nat(3), seed, (M, K, N, layout, seed) => {
        const a = layout & 1 ? transpose(randn([2, K, M], { seed })) : randn([2, M, K], { seed });
        const b =
          layout & 2 ? transpose(randn([N, K], { seed: seed + 1 })) : randn([K, N], { seed: seed + 1 });
        agree(matmul, [a, b]);
        agree(matmul, [slice(a, 0, 0, 1), permute(randn([3, 1, N, K], { seed }), [0, 1, 3, 2])]);
      }),
      { numRuns: 60 },
    );
  });

  test("products with long K, which is split, equal the plain device", () => {
    agree(matmul, [randn([7, 1300], { seed: 1 }), randn([1300, 9], { seed: 2 })], 1e-4);
    agree(matmul, [randn([200, 513], { seed: 3 }), randn([513, 20], { seed: 4 })], 1e-4);
  });

  test("property: softmax, norms and elementwise functions equal the plain device", () => {
    fc.assert(
      fc.property(size, size, seed, (rows, n, seed) => {
        const x = mul(randn([rows, n], { seed }), 8);
        agree((x) => softmax(x), [x]);
        agree((x, w) => rmsNorm(x, w), [x, randn([n], { seed: seed + 1 })]);
        agree(silu, [x]);
        agree(exp, [x]);
        agree(add, [x, randn([rows, n], { seed: seed + 2 })]);
        agree(mul, [x, randn([rows, n], { seed: seed + 2 })]);
        agree((x) => mul(x, 0.5), [x]); // a broadcast runs the plain kernel
      }),
      { numRuns: 40 },
    );
  });

  test("infinities, NaN, and exponentials that overflow or underflow equal the plain device", () => {
    const x = tensor([-Infinity, Infinity, NaN, -200, 200, 88.7, -87.3, 0, -0, 1e-40, 3, -3]);
    agree(exp, [x]);
    agree(
      (x) => softmax(x),
      [
        tensor([
          [1, NaN, 2, 3, 4],
          [-Infinity, 0, 1, 2, 3],
          [1e4, -1e4, 0, 5, 6],
        ]),
      ],
    );
    agree(silu, [tensor([-200, 200, 0, -0, 5, NaN])]);
  });

  test("exp is within two units in the last place over its whole range", () => {
    const xs = Float32Array.from({ length: 200_001 }, (_, i) => -87 + (i * 175) / 200_000);
    const { data } = exp(tensor(xs, { device }));
    let worst = 0;
    data.forEach((y, i) => {
      const exact = Math.exp(xs[i]!);
      worst = Math.max(worst, Math.abs(y - exact) / ulp(exact));
    });
    expect(worst).toBeLessThanOrEqual(2);
    expect(device.report().calls["exp"]!.device).toBeGreaterThan(0);
  });

  test("a long loop of scopes uses no more memory than one", () => {
    const [x, w] = [randn([64, 64], { seed: 1, device }), randn([64, 64], { seed: 2 }).to(device)];
    const step = () => device.scope(() => softmax(matmul(matmul(x, w), w)));
    step();
    const before = device.memory();
    for (let i = 0; i < 300; i++) step();
    expect(device.memory()).toEqual(before);
  });

  test("a result of the outermost scope is a host array; using a tensor after its scope throws", () => {
    let scoped: Tensor | undefined;
    const returned = device.scope(() =>
      device.scope(() => {
        scoped = matmul(randn([2, 2], { seed: 1, device }), randn([2, 2], { seed: 2, device }));
        return add(scoped, scoped);
      }),
    );
    const before = [...returned.data];
    device.scope(() => matmul(randn([2, 2], { seed: 3, device }), randn([2, 2], { seed: 4, device })));
    expect([...returned.data]).toEqual(before);
    expect(() => scoped!.data).toThrow(/made inside a scope/);
  });
});

test("a build that does not exist is refused", async () => {
  await expect(wasm({ build: "fast" as "plain" })).rejects.toThrow(
    /`build` is "fast", expected "auto", "plain" or "relaxed"/,
  );
});

test("an unknown option is refused, and so are options that are not an object", async () => {
  await expect(wasm({ thread: 2 } as object)).rejects.toThrow(
    /^wasm: `thread` is 2, expected one of the options build, threads, .*\nFix: write `threads`/,
  );
  for (const options of [null, 2, "plain"] as unknown[])
    await expect(wasm(options as WasmOptions)).rejects.toThrow(/^wasm: `options` is/);
});

function like(x: Tensor, device: Device): Tensor {
  return tensor(x.data, { shape: x.shape, dtype: x.dtype, device });
}

/** Unit in the last place of a float32 number. */
function ulp(x: number): number {
  return 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(x)))) - 23);
}

test("arrays that were read do not change when device memory grows and is reused", async () => {
  const device = await wasm();
  const resident = randn([4], { seed: 1 }).to(device);
  const expected = [...randn([4], { seed: 1 }).data];
  let inside: ArrayLike<number> = [];
  const before = resident.data;
  device.scope(() => {
    inside = add(resident, 0).data;
    add(randn([2 ** 20], { seed: 2, device }), 1);
  });
  device.scope(() => add(resident, 1));
  expect([...before]).toEqual(expected);
  expect(Array.from(inside)).toEqual(expected);
});

test("creating a wasm device does not change the plain device", () => {
  expect(js().name).toBe("js");
});
