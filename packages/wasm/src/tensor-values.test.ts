import {
  add,
  arange,
  bernoulli,
  full,
  js,
  matmul,
  permutation,
  randn,
  resident,
  tensor,
  uniform,
  zeros,
  type DType,
  type Tensor,
  type TensorValues,
} from "@qkv/tensor";
import { beforeAll, describe, expect, test } from "vitest";
import type { WasmDevice } from "./device.js";
import { wasm } from "./wasm.js";

let device: WasmDevice;
beforeAll(async () => {
  device = await wasm();
});

const numbers = [0, 1, 2, 3, 5, 100];
const sources: Record<string, TensorValues> = {
  "a plain list": numbers,
  "a nested list": [numbers.slice(0, 3), numbers.slice(3)],
  "a Float32Array": Float32Array.from(numbers),
  "a Float64Array": Float64Array.from(numbers),
  "an Int32Array": Int32Array.from(numbers),
  "an Int8Array": Int8Array.from(numbers),
  "a Uint8Array": Uint8Array.from(numbers),
  "a Uint16Array": Uint16Array.from(numbers),
  "a BigInt64Array": BigInt64Array.from(numbers.map(BigInt)),
  "a part of an array": Float32Array.from([9, ...numbers, 9]).subarray(1, 7),
};
const dtypes: DType[] = ["float32", "float64", "int32", "int8", "uint8", "float16", "bfloat16"];

describe.each(Object.entries(sources))("%s", (_, values) => {
  test.each(dtypes)(
    "as %s, inside and outside of a scope, equals the values on the plain device",
    (dtype) => {
      const expected = tensor(values, { dtype });
      const make = () => tensor(values, { dtype, device });
      for (const made of [make(), device.scope(make), make().to(js()), expected.to(device)]) {
        expect(made.shape).toEqual(expected.shape);
        expect(made.dtype).toBe(dtype);
        expect(made.data).toEqual(expected.data);
      }
    },
  );
});

test("bools are stored as bytes 0 and 1, and other values are refused", () => {
  expect(device.scope(() => tensor([[true], [false]], { device })).toNested()).toEqual([[true], [false]]);
  expect(() => device.scope(() => tensor([2], { dtype: "bool", device }))).toThrow(/`value` is 2/);
});

test("inside a scope an array is copied once, to the device's memory, until the scope ends", () => {
  const values = new Float32Array(5000).fill(2);
  const before = device.memory().bytes;
  device.scope(() => {
    const x = tensor(values, { device });
    expect(device.memory().bytes! - before!).toBe(20032); // 20000 bytes, to a multiple of 64
    values[0] = 7;
    expect(x.data[0]).toBe(2);
  });
  expect(device.memory().bytes).toBe(before);
});

test("a refused value allocates no memory", () => {
  const before = device.memory().bytes;
  expect(() => device.scope(() => tensor([1, 300], { dtype: "uint8", device }))).toThrow(
    /`values\[1\]` is 300/,
  );
  expect(device.memory().bytes).toBe(before);
});

test("a long loop of calls with arrays uses no more memory than one call", () => {
  const values = randn([64 * 64], { seed: 1 }).data;
  const call = () =>
    device.scope(() => {
      const x = tensor(values, { shape: [64, 64], device });
      return matmul(x, x);
    }).data;
  const expected = call();
  const before = device.memory();
  for (let i = 0; i < 300; i++) expect(call()[5]).toBe(expected[5]);
  expect(device.memory()).toEqual(before);
});

test("a tensor created inside a scope belongs to it, unless it is returned or resident", () => {
  const made: Tensor[] = [];
  const makers: (() => Tensor)[] = [
    () => tensor([1], { device }),
    () => zeros([1], { device }),
    () => full([1], 3, { device }),
    () => arange(1, { device }),
    () => randn([1], { seed: 1, device }),
    () => uniform([1], { seed: 1, device }),
    () => bernoulli([1], { seed: 1, device }),
    () => permutation(1, { seed: 1, device }),
  ];
  const [kept, returned] = [[] as Tensor[], [] as Tensor[]];
  device.scope(() => {
    for (const make of makers) {
      made.push(make());
      kept.push(resident(make()));
    }
  });
  returned.push(...device.scope(() => makers.map((make) => make())));
  makers.forEach((make, i) => {
    expect(() => made[i]!.data).toThrow(/made inside a scope/);
    expect(kept[i]!.data).toEqual(make().data);
    expect(returned[i]!.data).toEqual(make().data);
  });
});

test("zeros in reused memory are zeros", () => {
  device.scope(() => add(tensor(new Float32Array(64).fill(5), { device }), 1));
  expect([...device.scope(() => zeros([64], { device })).data]).toEqual(Array<number>(64).fill(0));
});
