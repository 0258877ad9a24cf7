import { randn, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { norm } from "./norm.js";

test("golden: layer norm gives mean 0 and variance 1, RMS norm mean square 1", () => {
  const x = tensor([[1, 7]]);
  const layer = norm({ kind: "layer", embedDim: 2, eps: 0 });
  expect(layer.apply({ weight: tensor([2, 2]), bias: tensor([0, 1]) }, x).toNested()).toEqual([[-2, 3]]);
  const rms = norm({ kind: "rms", embedDim: 2, eps: 0 });
  expect(rms.apply(rms.init(), x).toNested()).toEqual([[0.2 * 1, 0.2 * 7].map(Math.fround)]);
});

test('kind "none" multiplies by the weight only', () => {
  const none = norm({ kind: "none", embedDim: 2 });
  expect(none.apply(none.init(), tensor([[1, 7]])).toNested()).toEqual([[1, 7]]);
  expect(none.apply({ weight: tensor([2, 3]) }, tensor([[1, 7]])).toNested()).toEqual([[2, 21]]);
});

test("initial weights are 1, only layer norm has a bias, and the default eps is 1e-5", () => {
  expect(Object.keys(norm({ kind: "rms", embedDim: 3 }).init())).toEqual(["weight"]);
  expect(norm({ kind: "layer", embedDim: 3 }).init().bias!.toNested()).toEqual([0, 0, 0]);
  const x = randn([2, 3], { seed: 1 });
  const [plain, explicit, other] = [undefined, 1e-5, 1e-2].map((eps) => {
    const layer = norm({ kind: "rms", embedDim: 3, ...(eps !== undefined && { eps }) });
    return layer.apply(layer.init(), x).data;
  });
  expect(plain).toEqual(explicit);
  expect(plain).not.toEqual(other);
});

test("an unknown kind is refused, with the fix", () => {
  expect(() => norm({ kind: "batch" as "rms", embedDim: 3 })).toThrow(
    /norm: `kind` is "batch", expected "layer", "rms" or "none".\nFix: take "rms" for Llama/,
  );
});
