import { layerNorm, matmul, randn, rmsNorm, softmax, tensor } from "@qkv/tensor";
import { quantizedLinear, quantizeWeight } from "@qkv/tensor/quantized";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WasmDevice } from "../device.js";
import { wasm } from "../wasm.js";
import { agree } from "@qkv/test-support/agreement";

describe.each(["plain", "relaxed"] as const)("kernels over rows, %s build", (build) => {
  let device: WasmDevice;
  beforeAll(async () => (device = await wasm({ build })));
  afterAll(() => device.close());

  /** Six rows of 37 numbers, changed by `f`. */
  const rows = (f: (x: Float32Array) => void) => {
    const x = Float32Array.from(randn([6, 37], { seed: 1 }).data);
    f(x);
    return tensor(x, { shape: [6, 37] });
  };
  /** A quiet and a signalling NaN with payload bits. */
  const nanRows = rows((x) => new Uint32Array(x.buffer).set([0x7fc00001, 0xff812345], 36));

  test("softmax with NaN of any bit pattern, ±Infinity and large numbers equals the plain device", () => {
    agree(device, (x) => softmax(x), [nanRows], { tolerance: 1e-6 });
    agree(device, (x) => softmax(x), [rows((x) => x.set([3e38, -Infinity, 3e38, Infinity], 35))], {
      tolerance: 1e-6,
    });
    agree(device, (x) => softmax(x), [rows((x) => x.fill(-Infinity, 0, 37))], { tolerance: 1e-6 });
    agree(device, (x) => softmax(x), [rows((x) => x.set([3e38, 3e38, -Infinity]))], { tolerance: 1e-6 });
  });

  test("softmax of long rows with a NaN, Infinity or large number, and of the rows after them, equals the plain device", () => {
    const n = 1030;
    const x = Float32Array.from(randn([7, n], { seed: 1 }).data);
    new Uint32Array(x.buffer)[n + 300] = 0x7fc00001; // a NaN
    x[3 * n + 600] = Infinity;
    x[5 * n + 900] = 355; // 2^512, whose power would be 1 again if it were not the largest
    agree(device, (x) => softmax(x), [tensor(x, { shape: [7, n] })], { ops: ["softmax"], tolerance: 1e-6 });
  });

  test("layer norm is accurate if the first numbers of a row are far from its mean", () => {
    const options = { tolerance: 1e-6, ops: ["layerNorm"] };
    agree(device, (x) => layerNorm(x), [rows((x) => x.fill(1e4, 0, 4))], options);
    agree(device, (x) => layerNorm(x), [rows((x) => x.forEach((each, i) => (x[i] = 1e4 + each)))], options);
    agree(device, (x) => layerNorm(x), [rows((x) => x.fill(0.1))], options);
    agree(device, (x) => layerNorm(x), [randn([5, 3], { seed: 2 })], options);
  });

  test("norms of rows without a finite sum of squares equal the plain device", () => {
    for (const x of [nanRows, rows((x) => x.set([1e30, -1e30])), rows((x) => (x[40] = Infinity))]) {
      agree(device, (x) => layerNorm(x), [x]);
      agree(device, (x, w) => rmsNorm(x, w), [x, randn([37], { seed: 3 })]);
    }
  });

  test("a row times a matrix of any size equals the plain device", () => {
    for (const [K, N] of [
      [1, 1],
      [5, 3],
      [17, 40],
      [700, 701],
      [3, 50_257],
    ] as const) {
      const matrix = randn([K, N], { seed: 2 });
      agree(device, matmul, [randn([1, K], { seed: 1 }), matrix], { ops: ["matmul"] });
    }
  });

  test("a quantized product of subnormal activations is below 1e-37", () => {
    const weight = quantizeWeight(randn([9, 37], { seed: 4 }));
    const moved = { data: weight.data.to(device), scale: weight.scale.to(device) };
    for (const M of [1, 7]) {
      const x = Float32Array.from(randn([M, 37], { seed: 5 }).data, (each, i) => (i % 5 ? each * 1e-39 : 0));
      const options = { activations: "int8" } as const;
      const plain = quantizedLinear(tensor(x, { shape: [M, 37] }), weight, undefined, options);
      const ours = quantizedLinear(tensor(x, { shape: [M, 37] }).to(device), moved, undefined, options);
      for (const y of [plain, ours]) expect(Math.max(...y.data.map(Math.abs))).toBeLessThan(1e-37);
    }
  });
});
