import { checkGradient, mul, sum, tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { sentenceEmbedding } from "../sentence-embedding.js";
import { denseModule } from "./dense.js";
import { normalizeModule } from "./normalize.js";
import { poolingModes, poolingModule, type PoolingMode } from "./pooling.js";

const rows = [
  [
    [1, -4],
    [2, -1],
    [9, 9],
  ],
  [
    [3, 5],
    [1, 7],
    [8, 6],
  ],
];
const vectors = tensor(rows);
/** The first text has padding at the end, the second one at the beginning. */
const attentionMask = tensor([
  [1, 1, 0],
  [0, 1, 1],
]);

test.each<[PoolingMode, number[][]]>([
  [
    "cls",
    [
      [1, -4],
      [3, 5],
    ],
  ],
  [
    "max",
    [
      [2, -1],
      [8, 7],
    ],
  ],
  [
    "mean",
    [
      [1.5, -2.5],
      [4.5, 6.5],
    ],
  ],
  [
    "mean_sqrt_len",
    [
      [3, -5],
      [9, 13],
    ].map((row) => row.map((sum) => sum / Math.SQRT2)),
  ],
  [
    "weightedmean",
    [
      [5 / 3, -2],
      [(2 * 1 + 3 * 8) / 5, (2 * 7 + 3 * 6) / 5],
    ],
  ],
  [
    "lasttoken",
    [
      [2, -1],
      [8, 6],
    ],
  ],
])("pooling by %s ignores padding", (mode, expected) => {
  const pooled = poolingModule([mode])
    .apply({ vectors, attentionMask, promptLength: 0 })
    .toNested() as number[][];
  pooled.forEach((row, b) => row.forEach((value, c) => expect(value).toBeCloseTo(expected[b]![c]!, 5)));
});

test("the vectors of several modes are concatenated in a fixed order, independent of the order of the list", () => {
  const input = { vectors, attentionMask, promptLength: 0 };
  const byMode = poolingModes.map((mode) => poolingModule([mode]).apply(input).toNested() as number[][]);
  const joined = poolingModule(poolingModes.toReversed()).apply(input).toNested();
  expect(joined).toEqual([0, 1].map((b) => byMode.flatMap((pooled) => pooled[b]!)));
});

test("the tokens of a prompt are pooled unless includePrompt is false", () => {
  const input = { vectors, promptLength: 1 };
  expect(poolingModule(["mean"], { includePrompt: false }).apply(input).toNested()).toEqual([
    [5.5, 4],
    [4.5, 6.5],
  ]);
  expect(poolingModule(["mean"]).apply(input).toNested()).toEqual(
    poolingModule(["mean"])
      .apply({ ...input, promptLength: 0 })
      .toNested(),
  );
});

test.each(poolingModes)("gradients flow through %s", (mode) => {
  const x = tensor(rows, { dtype: "float64" });
  const pool = poolingModule([mode]);
  const upstream = tensor([[1, -2]], { dtype: "float64" });
  const pooled = (vectors: typeof x) => pool.apply({ vectors, attentionMask, promptLength: 0 });
  expect(() => checkGradient((vectors) => sum(mul(pooled(vectors), upstream)), x)).not.toThrow();
});

test("a trace receives the vectors after each module, by module name", () => {
  const trace = {};
  const dense = denseModule(
    { weight: tensor([[1, 1]]), bias: tensor([-1]) },
    { activation: "relu", name: "2_Dense" },
  );
  const chain = [poolingModule(["mean"], { name: "1_Pooling" }), dense, normalizeModule("3_Normalize")];
  expect(sentenceEmbedding(chain, vectors, { attentionMask, trace }).toNested()).toEqual([[0], [1]]);
  expect(Object.keys(trace)).toEqual(["1_Pooling", "2_Dense", "3_Normalize"]);
  expect((trace as Record<string, typeof vectors>)["2_Dense"]!.toNested()).toEqual([[0], [10]]);
});

test("unknown modes, values that are not modules, and rows of another shape are refused", () => {
  expect(() => poolingModule([])).toThrow(/one mode or more/);
  expect(() => poolingModule(["median" as never])).toThrow(/cls, max, mean/);
  expect(() => sentenceEmbedding([{} as never], vectors)).toThrow(/`modules/);
  expect(() => sentenceEmbedding([poolingModule(["mean"])], tensor([1]))).toThrow(/\[B, T, C\]/);
});
