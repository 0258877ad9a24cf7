import { expect, test } from "vitest";
import { tensor, zeros } from "./create.js";
import { mul } from "./ops/mul.js";
import { mapTensors, tensorsOf } from "./tree.js";

const [a, b, c] = [tensor([1]), tensor([2]), tensor([3])];

test("tensors are found in order, with their paths, in objects and lists", () => {
  const tree = { layers: [{ w: a, name: "first" }, { w: b }], rate: 0.1, none: undefined, c };
  expect(tensorsOf(tree)).toEqual([a, b, c]);
  const paths: string[] = [];
  const twice = mapTensors(tree, (x, path) => {
    paths.push(path);
    return mul(x, 2);
  });
  expect(paths).toEqual(["layers.0.w", "layers.1.w", "c"]);
  expect(twice.layers[1]!.w.toNested()).toEqual([4]);
  expect(twice).toMatchObject({ rate: 0.1, none: undefined, layers: [{ name: "first" }, {}] });
  expect(tree.layers[0]!.w).toBe(a);
});

test("a single tensor is a tree, and values that are not plain objects, lists or tensors are leaves", () => {
  expect(tensorsOf(a)).toEqual([a]);
  expect(mapTensors(a, (x, path) => [x, path])).toEqual([a, ""]);
  for (const leaf of [null, 1, "x", new Map([["w", a]]), new Float32Array(2), () => a]) {
    expect(tensorsOf(leaf)).toEqual([]);
    expect(mapTensors(leaf, () => zeros([1]))).toBe(leaf);
  }
  const bare = Object.assign(Object.create(null) as object, { w: a });
  expect(tensorsOf(bare)).toEqual([a]);
});
