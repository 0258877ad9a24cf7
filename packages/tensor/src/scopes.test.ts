import { expect, test } from "vitest";
import { tensor, zeros } from "./create.js";
import { grad } from "./grad.js";
import { js } from "./js-device.js";
import { add } from "./ops/add.js";
import { mul } from "./ops/mul.js";
import { sum } from "./ops/sum.js";
import { resident } from "./resident.js";
import type { Tensor } from "./tensor.js";

const device = js();

test("returned tensors outlive their scope, in any nesting, and the others are freed", () => {
  const inside: Tensor[] = [];
  const result = device.scope(() => {
    inside.push(add(tensor([1]), 1));
    return { list: [mul(inside[0]!, 3)], text: "kept" };
  });
  expect(result.list[0]!.toNested()).toEqual([6]);
  expect(result.text).toBe("kept");
  expect(() => inside[0]!.data).toThrow(
    'device.scope: `tensor` is "a float32 tensor of 1 numbers that was made inside a scope", ' +
      "expected a tensor that is still alive: its scope has ended and let it go.\n" +
      "Fix: return the tensor from the scope, or read its numbers inside of it.",
  );
  expect(() => add(inside[0]!, 1)).toThrow(/its scope has ended/);
  expect(String(result.list[0])).toBe("[6]");
});

test("scopes nest: a result belongs to the enclosing scope, which frees it", () => {
  let [inner, returned] = [zeros([1]), zeros([1])];
  const outer = device.scope(() => {
    returned = device.scope(() => {
      inner = add(zeros([1]), 1);
      return add(inner, 1);
    });
    expect(() => inner.data).toThrow(/its scope has ended/);
    expect(returned.toNested()).toEqual([2]);
    return add(returned, 1);
  });
  expect(() => returned.data).toThrow(/its scope has ended/);
  expect(outer.toNested()).toEqual([3]);
});

test("tensors from outside a scope, and storages of returned views, are not freed", () => {
  const x = add(zeros([2]), 1);
  const same = device.scope(() => {
    add(x, 1);
    return x;
  });
  expect(same.toNested()).toEqual([1, 1]);
  expect(x.toNested()).toEqual([1, 1]);
});

test("a scope whose function throws frees its tensors and rethrows the error", () => {
  let made = zeros([1]);
  expect(() =>
    device.scope(() => {
      made = add(zeros([1]), 1);
      throw new Error("mine");
    }),
  ).toThrow("mine");
  expect(() => made.data).toThrow(/its scope has ended/);
  // The device is as before: new tensors outside live on.
  expect(add(zeros([1]), 1).toNested()).toEqual([1]);
});

test("while a tape records, inner scopes do not free tensors that backward needs", () => {
  const layer = (x: Tensor) => device.scope(() => mul(mul(x, x), x));
  expect(grad((x: Tensor) => sum(layer(x)))(tensor([2])).toNested()).toEqual([12]);
  const nested = grad((x: Tensor) => sum(grad((y: Tensor) => sum(layer(y)))(x)));
  expect(nested(tensor([2])).toNested()).toEqual([12]);
});

test("tensors created inside grad but not returned are freed", () => {
  let made = zeros([1]);
  const slope = grad((x: Tensor) => {
    made = mul(x, x);
    return sum(made);
  })(tensor([3]));
  expect(slope.toNested()).toEqual([6]);
  expect(() => made.data).toThrow(/its scope has ended/);
});

test("a function that returns a promise is refused, with the fix", () => {
  expect(() => device.scope(async () => zeros([1]))).toThrow(
    'device.scope: `f` is "a function that returns a promise", expected a function that returns at once.\n' +
      "Fix: a scope is synchronous: await outside of it, and compute inside.",
  );
  expect(() => grad((async () => zeros([])) as unknown as (x: Tensor) => Tensor)(zeros([1]))).toThrow();
});

test("a resident tensor outlives every scope", () => {
  const state: { buffer?: Tensor; lost?: Tensor } = {};
  device.scope(() =>
    device.scope(() => {
      state.buffer = resident(add(zeros([2]), 4));
      state.lost = add(zeros([2]), 4);
    }),
  );
  expect(state.buffer!.toNested()).toEqual([4, 4]);
  expect(() => state.lost!.data).toThrow(/its scope has ended/);
  expect(() => resident(1 as unknown as Tensor)).toThrow(/resident: `x` is 1, expected a tensor/);
});
