import { full, matmul, mul, randn, reshape, transpose, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { mesaNet } from "./mesa-net.js";
import { mix } from "./mix.js";
import { simpleGla } from "./simple-gla.js";
import { solvePositiveDefinite } from "./solve-positive-definite.js";

const [B, H, T, K, V] = [2, 2, 9, 3, 2];
const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const filled = (shape: number[], value: number) => full(shape, value, { dtype: "float64" });
const [query, key] = [random([B, H, T, K], 1), random([B, H, T, K], 2)];
const gates = { decay: filled([B, H, T], -0.2), beta: filled([B, H, T], 0.7) };
const near = (a: Tensor, b: Tensor, digits: number) =>
  a.data.forEach((x, i) => expect(x).toBeCloseTo(b.data[i]!, digits));

test("with a large penalty, it equals linear attention divided by the penalty", () => {
  const value = random([B, H, T, V], 3);
  const inputs = { query, key, value, ...gates, regularization: filled([H, K], 1e7) };
  const weighted = { query, key, value: mul(value, 0.7), decay: gates.decay };
  const linear = mix(simpleGla(), weighted, { scale: 1 });
  near(mul(mix(mesaNet(), inputs).output, 1e7), linear.output, 4);
  near(mix(mesaNet(), inputs).state.keyValue, linear.state, 10);
});

test("values that are a linear function of their keys are reproduced exactly from K tokens on", () => {
  const map = random([K, V], 4);
  const inputs = { query, key, value: matmul(key, map), ...gates, regularization: filled([H, K], 1e-9) };
  const { output } = mix(mesaNet(), inputs);
  const wanted = matmul(query, map);
  output.data.forEach((x, i) => {
    if (Math.floor(i / V) % T >= K) expect(x).toBeCloseTo(wanted.data[i]!, 4);
  });
});

test("solvePositiveDefinite: the matrix times the solution equals the right-hand side", () => {
  const root = random([4, K, K], 5);
  const a = matmul(root, transpose(root));
  const b = random([4, K], 6);
  const x = reshape(solvePositiveDefinite(a, b), [4, K, 1]);
  near(reshape(matmul(a, x), [4, K]), b, 8);
});

test("a matrix that is not positive definite is refused, with the fix", () => {
  const inputs = { query, key, value: random([B, H, T, V], 3), ...gates };
  expect(() => mix(mesaNet(), { ...inputs, regularization: filled([H, K], -5) })).toThrow(
    /solvePositiveDefinite: `a` is "a pivot of -.*", expected .*\nFix: make `regularization` larger, and `beta` 0 or more/,
  );
  expect(() => mesaNet({ chunkSize: 0 })).toThrow(/mesaNet: `chunkSize` is 0/);
});
