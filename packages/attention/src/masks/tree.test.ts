import { randn, slice, take, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "./causal.js";
import { tree } from "./tree.js";
import { rowsSeen } from "@qkv/test-support/rows-seen";

const parents = fc
  .integer({ min: 1, max: 7 })
  .chain((nodes) =>
    fc.tuple(...Array.from({ length: nodes }, (_, node) => fc.integer({ min: -1, max: node - 1 }))),
  );

test("property: each node has the output that it has in causal attention over the text and its path", () => {
  fc.assert(
    fc.property(parents, fc.nat(4), fc.nat(1000), (parents, context, seed) => {
      const S = context + parents.length;
      const [query, key, value] = [0, 1, 2].map((n) =>
        randn([1, 2, S, 3], { seed: seed + n, dtype: "float64" }),
      ) as [Tensor, Tensor, Tensor];
      const output = attention(query, key, value, { mask: tree(parents) });
      parents.forEach((_, node) => {
        const path: number[] = [];
        for (let one = node; one >= 0; one = parents[one]!) path.unshift(context + one);
        const places = [...Array.from({ length: context }, (_, i) => i), ...path];
        const own = (x: Tensor) => take(x, 2, tensor(places, { dtype: "int32" }));
        const alone = attention(own(query), own(key), own(value), { mask: causal() });
        const [got, wanted] = [slice(output, 2, context + node, context + node + 1), slice(alone, 2, -1)];
        expect(got.data).toBeAllclose(wanted.data, { rtol: 0, atol: 5e-13 });
      });
    }),
  );
});

test("a tree that is a chain equals causal()", () => {
  expect(rowsSeen(tree([-1, 0, 1, 2]), 4, 6)).toEqual(rowsSeen(causal(), 4, 6));
  expect(rowsSeen(tree([]), 3)).toEqual(rowsSeen(causal(), 3));
});

test("golden: two draft tokens, two that follow the first, one that follows the second", () => {
  expect(rowsSeen(tree([-1, -1, 0, 0, 1]), 6)).toEqual([
    "100000",
    "110000",
    "101000",
    "110100",
    "110010",
    "101001",
  ]);
  expect(tree([-1, 0]).name).toBe("tree([-1, 0])");
});

test("a child before its parent, and more nodes than positions, are refused", () => {
  expect(() => tree([-1, 1])).toThrow(
    /tree: `parents` is 1, expected a node before node 1, or -1, as the parent of node 1.\nFix: number nodes so that/,
  );
  for (const wrong of [-2, 0.5, NaN]) expect(() => tree([-1, wrong])).toThrow(/as the parent of node 1/);
  const x = randn([1, 1, 2, 2], { seed: 1 });
  expect(() => attention(x, x, x, { mask: tree([-1, 0, 1]) })).toThrow(/"3 nodes", expected at most S = 2/);
});
