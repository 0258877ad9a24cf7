import { checkGradient, mul, ones, randn, sum, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { slidingWindow } from "../masks/sliding-window.js";
import { nativeSparse } from "./native-sparse.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const gate = (f: typeof zeros, T: number) => f([1, 4, T], { dtype: "float64" });

test("property: with all blocks selected, gates 0, 1, 0 give full causal attention, and 0, 0, 1 the window", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(1e6),
      (blockSize, T, seed) => {
        const [q, k] = [make([1, 4, T, 3], seed), make([1, 2, T, 3], seed + 1)];
        const options = { blockSize, numBlocks: Math.max(3, Math.ceil(T / blockSize)), windowSize: 2 };
        const [none, all] = [gate(zeros, T), gate(ones, T)];
        const only = (which: "selected" | "window") =>
          nativeSparse(q, k, k, {
            ...options,
            gates: { compressed: none, selected: none, window: none, [which]: all },
          }).output;
        expect(only("selected")).toBeAllclose(attention(q, k, k, { mask: causal() }), { rtol: 1e-12 });
        expect(only("window")).toBeAllclose(attention(q, k, k, { mask: slidingWindow(2) }), { rtol: 1e-12 });
      },
    ),
  );
});

test("gradients of gates, queries, keys and values equal central differences", () => {
  const given = {
    q: make([1, 2, 6, 2], 1),
    k: make([1, 1, 6, 2], 2),
    v: make([1, 1, 6, 2], 3),
    gates: { compressed: make([1, 2, 6], 4), selected: make([1, 2, 6], 5), window: make([1, 2, 6], 6) },
  };
  const dy = make([1, 2, 6, 2], 7);
  const options = { blockSize: 2, numBlocks: 3, windowSize: 2 };
  checkGradient(
    ({ q, k, v, gates }) => sum(mul(nativeSparse(q, k, v, { ...options, gates }).output, dy)),
    given,
  );
});

test("a gate of another shape, and a window gate without windowSize, are refused", () => {
  const x = zeros([1, 2, 4, 2]);
  const [compressed, selected] = [zeros([1, 2, 4]), zeros([1, 2, 3])];
  const options = { blockSize: 2, numBlocks: 3 };
  expect(() => nativeSparse(x, x, x, { ...options, gates: { compressed, selected } })).toThrow(
    /nativeSparse: `gates.selected` has shape \[1, 2, 3\], expected \[B, H, T\] = \[1, 2, 4\]/,
  );
  const gates = { compressed, selected: compressed, window: compressed };
  expect(() => nativeSparse(x, x, x, { ...options, gates })).toThrow(
    /nativeSparse: `windowSize` is undefined/,
  );
});
