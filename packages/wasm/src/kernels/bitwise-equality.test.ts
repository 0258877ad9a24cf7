import * as t from "@qkv/tensor";
import { grad, mul, permute, randn, sum, tensor, type Device, type Tensor } from "@qkv/tensor";
import { quantizedLinear, quantizeWeight } from "@qkv/tensor/quantized";
import { adam } from "@qkv/tensor/optimizers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WasmDevice } from "../device.js";
import { wasm } from "../wasm.js";

const weight8 = quantizeWeight(randn([300, 200], { seed: 1 }));
const weight4 = quantizeWeight(randn([300, 200], { seed: 1 }), { bits: 4 });
const toDevice = (device: Device, { data, scale }: typeof weight8) => ({
  data: data.to(device),
  scale: scale.to(device),
});
const ids = tensor(Int32Array.from({ length: 4000 }, (_, i) => (i * i) % 97));

/** Computations of several work items each, and their results. */
const work: Record<string, (device: Device) => Tensor[]> = {
  elementwise: (device) => {
    const x = randn([3, 70_001], { seed: 1 }).to(device);
    const y = randn([3, 1], { seed: 2 }).to(device);
    return [t.gelu(x), t.add(x, y), t.where(t.greater(x, y), x, y), t.contiguous(permute(x, [1, 0]))];
  },
  "reductions and norms": (device) => {
    const x = randn([500, 301], { seed: 1 }).to(device);
    return [
      sum(x),
      sum(x, { axis: 0 }),
      t.mean(x, { axis: 1 }),
      t.max(x, { axis: 0 }),
      t.layerNorm(x),
      t.softmax(x),
    ];
  },
  "a row times a matrix": (device) => {
    const row = randn([1, 801], { seed: 1 }).to(device);
    const matrix = randn([801, 803], { seed: 2 }).to(device);
    return [t.matmul(row, matrix), t.matmul(row, permute(randn([803, 801], { seed: 3 }).to(device), [1, 0]))];
  },
  "few rows or columns times a matrix that is read in place": (device) => {
    const matrix = randn([520, 520], { seed: 1 }).to(device);
    const [few, narrow] = [randn([8, 520], { seed: 2 }).to(device), randn([520, 21], { seed: 3 }).to(device)];
    const columns = randn([520, 8], { seed: 4 }).to(device);
    return [t.matmul(few, matrix), t.matmul(matrix, narrow), t.matmul(permute(columns, [1, 0]), matrix)];
  },
  "cross-entropy and embedding": (device) => {
    const table = randn([97, 130], { seed: 1 }).to(device);
    const indices = ids.to(device);
    const loss = (table: Tensor) => t.crossEntropy(t.embedding(table, indices), indices);
    return [loss(table), grad(loss)(table)];
  },
  "quantized weights": (device) => {
    const x = randn([40, 200], { seed: 2 }).to(device);
    const row = randn([1, 200], { seed: 3 }).to(device);
    const [eight, four] = [toDevice(device, weight8), toDevice(device, weight4)];
    return [x, row].flatMap((x) => [
      quantizedLinear(x, eight),
      quantizedLinear(x, eight, undefined, { activations: "int8" }),
      quantizedLinear(x, four),
    ]);
  },
  "an optimizer step": (device) => {
    const optimizer = adam();
    const params = { w: randn([100_003], { seed: 1 }).to(device) };
    const state = optimizer.init(params);
    device.retain(state.moments["mean"]!.w.storage);
    device.retain(state.moments["meanSquare"]!.w.storage);
    optimizer.update(params, { w: mul(randn([100_003], { seed: 2, device }), 3) }, state);
    return [params.w];
  },
};

const resultBits = (results: Tensor[]) =>
  Buffer.concat(results.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)));

describe("results are bitwise equal for each read pattern", () => {
  const devices: WasmDevice[] = [];
  beforeAll(async () => {
    for (const build of ["plain", "auto"] as const)
      for (const readPattern of ["sequential", "interleaved"] as const)
        devices.push(await wasm({ build, readPattern }));
    devices.push(await wasm({ readPattern: "interleaved", threads: 2 }));
  });
  afterAll(() => Promise.all(devices.map((device) => device.close())));

  test("a row times a matrix", () => {
    const [plain, interleavedPlain, fastest, interleaved, threads] = devices.map((device) =>
      resultBits(work["a row times a matrix"]!(device)),
    );
    expect(interleavedPlain!.equals(plain!)).toBe(true);
    expect(interleaved!.equals(fastest!)).toBe(true);
    expect(threads!.equals(fastest!)).toBe(true);
  });
});

describe("results are bitwise equal for any number of threads", () => {
  const devices: WasmDevice[] = [];
  beforeAll(async () => {
    for (const threads of [1, 2, 3]) devices.push(await wasm({ threads }));
  });
  afterAll(() => Promise.all(devices.map((device) => device.close())));

  test.each(Object.keys(work))("%s", (name) => {
    const [first, ...others] = devices.map((device) => resultBits(work[name]!(device)));
    expect(first!.length).toBeGreaterThan(1000);
    for (const other of others) expect(other.equals(first!)).toBe(true);
  });
});
