import { inspect } from "node:util";
import { expect, test } from "vitest";
import type { Device } from "./contracts.js";
import { tensor, zeros } from "./create.js";
import { js } from "./js-device.js";
import { cast } from "./ops/cast.js";
import { slice } from "./ops/slice-and-pad.js";
import { transpose } from "./ops/transpose.js";
import { isTensor } from "./tensor.js";

test("console.log in Node prints the dtype, shape and range of a tensor, and its number of NaN", () => {
  expect(
    inspect(
      tensor([
        [1, -2.5],
        [3, 0],
      ]),
    ),
  ).toBe("Tensor [2, 2] float32 on js, -2.5 to 3");
  expect(inspect({ w: tensor([NaN, 1, NaN]) })).toBe("{ w: Tensor [3] float32 on js, 1 to 1, 2 NaN }");
  expect(inspect(tensor([NaN]))).toBe("Tensor [1] float32 on js, 1 NaN");
  expect(inspect(cast(tensor([0.5, 2]), "float16"))).toBe("Tensor [2] float16 on js, 0.5 to 2");
  expect(inspect(slice(tensor([1, 2, 30]), 0, 0, 2))).toBe("Tensor [2] float32 on js, 1 to 2");
  expect(inspect(zeros([0]))).toBe("Tensor [0] float32 on js");
  expect(inspect(tensor(3))).toBe("Tensor [] float32 on js, 3 to 3");
});

test("a tensor whose storage is freed can still be printed", () => {
  let kept = zeros([1]);
  js().scope(() => {
    kept = cast(tensor([1, 2]), "int32");
  });
  expect(inspect(kept)).toBe("Tensor [2] int32 on js");
});

test("data is in row-major order, and is not copied if the tensor uses its whole storage", async () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(x.data).toBe(x.data);
  expect([...transpose(x).data]).toEqual([1, 3, 2, 4]);
  expect([...slice(x, 0, 1).data]).toEqual([3, 4]);
  expect(slice(x, 0, 1).data.buffer).toBe(x.data.buffer);
  expect([...(await transpose(x).read())]).toEqual([1, 3, 2, 4]);
});

test("to(device) copies to another device, and returns the same tensor on its own device", () => {
  const x = transpose(
    tensor([
      [1, 2],
      [3, 4],
    ]),
  );
  expect(x.to(js())).toBe(x);
  const other: Device = { ...js(), name: "other" };
  const moved = x.to(other);
  expect([moved.device, moved.toNested()]).toEqual([
    other,
    [
      [1, 3],
      [2, 4],
    ],
  ]);
});

test("isTensor recognizes tensors of other copies of the package, and the error of an incompatible one has both versions", () => {
  expect(isTensor(zeros([1]))).toBe(true);
  for (const other of [null, undefined, 1, [1], { shape: [1] }, new Float32Array(1)])
    expect(isTensor(other)).toBe(false);
  const key = Symbol.for("@qkv/tensor/Tensor");
  expect(isTensor({ [key]: { contract: 1, version: "0.0.1" } })).toBe(true);
  expect(() => isTensor({ [key]: { contract: 2, version: "0.9.0" } })).toThrow(
    'Tensor: `version` is "@qkv/tensor 0.9.0 (contract 2)", expected @qkv/tensor source (contract 1).',
  );
});
