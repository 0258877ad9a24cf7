import { js } from "@qkv/tensor";
import { evaluator, expression } from "@qkv/attention-contract";
import { expect, test } from "vitest";
import { graphExpression } from "./flex-graph.js";

const sizes = { B: 1, H: 2, T: 3, S: 5 };

const int64 = (name: string, shape: number[], values: number[]) =>
  encode(name, "int64", shape, BigInt64Array.from(values, BigInt));
const float32 = (name: string, shape: number[], values: number[]) =>
  encode(name, "float32", shape, Float32Array.from(values));

function encode(name: string, dtype: string, shape: number[], values: BigInt64Array | Float32Array) {
  const bytes = new Uint8Array(values.buffer);
  return { name, dtype, shape, data: Buffer.from(bytes).toString("base64") };
}

const node = (op: string, inputs: string[], output: string, attributes: object = {}) => ({
  op,
  inputs,
  outputs: [output],
  attributes,
});

function graph(nodes: object[], initializers: object[]) {
  return { nodes, initializers, inputs: [{ name: "scores" }], outputs: [{ name: "out" }] };
}

/** The modified scores of a head and query, from scores of 10, 20, … */
function run(made: unknown, head: number, query: number): number[] {
  const recorded = expression(graphExpression(made, sizes, "float64", js()));
  const score = Float64Array.from({ length: sizes.S }, (_, s) => 10 * (s + 1));
  const key = score.map((_, s) => s);
  // Queries are the last positions.
  const row = { score, key, batch: 0, head, query: sizes.S - sizes.T + query, length: sizes.S };
  return [...evaluator(recorded, sizes.S).forward(row)];
}

/** ALiBi as a graph: slopes gathered by head, times the distances of all pairs. */
const distances = [
  node("Shape", ["scores"], "shape"),
  node("Gather", ["shape", "two"], "T"),
  node("Gather", ["shape", "three"], "S"),
  node("Range", ["zero", "T", "one"], "rows"),
  node("Range", ["zero", "S", "one"], "columns"),
  node("Unsqueeze", ["rows", "one1"], "rows2"),
  node("Sub", ["rows2", "columns"], "distance"),
  node("Cast", ["distance"], "far", { to: 1 }),
];
const numbers = [
  int64("zero", [], [0]),
  int64("one", [], [1]),
  int64("two", [], [2]),
  int64("three", [], [3]),
  int64("one1", [1], [1]),
  float32("slopes", [2, 1, 1], [0.5, 2]),
];

test("a graph over distances becomes arithmetic on one score, without a table of all pairs", () => {
  const made = graph(
    [...distances, node("Mul", ["far", "slopes"], "bias"), node("Sub", ["scores", "bias"], "out")],
    numbers,
  );
  expect(run(made, 1, 2)).toEqual([0, 1, 2, 3, 4].map((s) => 10 * (s + 1) - 2 * (2 - s)));
  const { tables } = expression(graphExpression(made, sizes, "float64", js()));
  for (const { shape } of tables) expect(shape.reduce((a, b) => a * b, 1)).toBeLessThanOrEqual(sizes.S);
});

test("integer division truncates towards zero, and comparisons select", () => {
  const made = graph(
    [
      ...distances,
      node("Div", ["distance", "two"], "half"),
      node("Less", ["half", "zero"], "ahead"),
      node("Cast", ["half"], "halfFloat", { to: 1 }),
      node("Where", ["ahead", "halfFloat", "scores"], "out"),
    ],
    numbers,
  );
  expect(run(made, 0, 1)).toEqual([10, 20, 30, -1, -1]);
});

test("a graph that cannot be translated is an error with the reason", () => {
  const transposed = graph([node("Transpose", ["scores"], "out")], []);
  expect(() => run(transposed, 0, 0)).toThrow(/Transpose cannot be turned into an expression/);
  const moved = graph([node("Reshape", ["scores", "flat"], "out")], [int64("flat", [1], [-1])]);
  expect(() => run(moved, 0, 0)).toThrow(/Reshape cannot be turned into an expression: .* moves the axes/);
  expect(() => run(graph([node("Neg", ["nothing"], "out")], []), 0, 0)).toThrow(
    /uses `nothing`, which nothing gives/,
  );
});
