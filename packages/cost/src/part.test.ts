import { expect, test } from "vitest";
import { lookup, norm, pointwise, product, tokenRows, type Run } from "./part.js";

const run: Run = {
  batchSize: 2,
  queryLength: 3,
  keyLength: 3,
  sourceLength: 0,
  encodes: true,
  outputLength: 1,
  tileSize: 1,
  latent: "cheapest",
};
const none: Run = { ...run, queryLength: 0 };

// By hand, of six rows.
test.each([
  ["a product", product("x", tokenRows, { inputs: 4, outputs: 5 }), [6 * 40, 20, 6 * 9, 1]],
  ["a bias", product("x", tokenRows, { inputs: 4, outputs: 5, bias: true }), [6 * 45, 25, 6 * 19, 2]],
  ["an RMS norm of two heads", norm("x", tokenRows, "rms", 8, 2), [6 * 64, 8, 6 * 32, 1]],
  ["a layer norm", norm("x", tokenRows, "layer", 8), [6 * 64, 16, 6 * 16, 1]],
  ["a sum of two", pointwise("x", tokenRows, 8, 2), [6 * 8, 0, 6 * 24, 1]],
  ["an activation of three operations", pointwise("x", tokenRows, 8, 1, 3), [6 * 24, 0, 6 * 16, 1]],
  ["nothing", pointwise("x", tokenRows, 0, 1), [0, 0, 0, 0]],
  ["rows of a table", lookup("x", tokenRows, { rows: 100, width: 8 }), [0, 48, 48, 1]],
  ["rows of a small table", lookup("x", tokenRows, { rows: 5, width: 8 }), [0, 40, 48, 1]],
] as const)("%s: FLOPs, weights, activations and calls", (_, part, [flops, weights, activations, calls]) => {
  expect(part.work(run)).toEqual({ flops, weights, activations, cache: 0, calls });
  expect(part.work(none)).toMatchObject({ flops: 0, weights: 0, activations: 0, calls: 0 });
});
