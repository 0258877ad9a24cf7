// Calls every function of these packages with arguments and options of every wrong kind: each must throw a QkvError
// that names the function and the argument, never an error of the engine, and never return.
import * as cost from "@qkv/cost";
import { isQkvError } from "@qkv/core";
import * as viz from "@qkv/viz";
import { describe, expect, test } from "vitest";

/** A valid call. `at` is the index of its options; each of `options` is a valid value. */
type Call = {
  args: readonly unknown[];
  /** The number of required arguments. Default: all. */
  required?: number;
  options?: Record<string, unknown>;
  at?: number;
  /** Values of other kinds that are valid too. */
  accepts?: readonly unknown[];
};

const data = (shape: number[], ...numbers: number[]) => ({ data: numbers, shape });
const weights = data([2, 2], 1, 0, 0.25, 0.75);
const heads = data([1, 1, 2, 2], 1, 0, 0.25, 0.75);
const labels = ["the", "cat"];
const marks = { numKvHeads: 1, window: 1, keepFirst: 0, sink: true };
const shared = { title: "title" };

const pictures: Record<string, Call> = {
  attentionMap: {
    args: [weights],
    options: { ...shared, rowLabels: labels, columnLabels: labels, mask: weights, max: 1, cellSize: 9 },
  },
  attributionGraph: {
    args: [{ dot: 1, nodes: [{ id: 0, name: "a", value: 1 }] }],
    options: { ...shared, tokens: labels, expanded: [0], selected: 0 },
  },
  bars: {
    args: [data([2], 1, 2)],
    options: { ...shared, labels, unit: "ms", meaning: "cost", max: 1, length: 9 },
  },
  cachePages: {
    args: [{ pages: 2, pageLength: 2, table: [[0]], lengths: [2] }],
    options: { ...shared, labels: ["a"], tokens: [labels], remembered: [1] },
  },
  headGrid: { args: [heads], options: { ...shared, size: 9, rowName: "layer", groupSize: 1 } },
  headView: {
    args: [heads, { rowLabels: labels }],
    options: {
      ...shared,
      ...marks,
      rowLabels: labels,
      columnLabels: labels,
      heads: [0],
      query: 0,
      minWeight: 0.1,
    },
  },
  lines: {
    args: [data([2], 1, 2)],
    options: {
      ...shared,
      ...{ labels: ["a"], xLabel: "x", yLabel: "y", x: data([2], 0, 1), meanings: ["cost"] },
    },
  },
  logitLensView: {
    args: [{ names: ["a"], tokens: ["b"], topTokens: [[["c"]]], probabilities: data([1, 1, 1], 1) }],
    options: { ...shared, ink: "top", selected: { row: 0, column: 0 } },
  },
  maskTiles: { args: [() => true, 4], options: { ...shared, queryLength: 2, tileSize: 2 } },
  modelView: { args: [[heads]], options: { ...shared, marks: [marks], size: 9 } },
  neuronView: {
    args: [data([2], 1, 2), weights, { columnLabels: labels }],
    options: {
      ...shared,
      ...{ columnLabels: labels, place: 1, scale: 1, sinkLogit: 0, window: 2, keepFirst: 1 },
    },
  },
  patchingView: {
    args: [{ names: ["a"], values: data([1, 2], 1, -1) }],
    options: {
      ...shared,
      ...{ columnLabels: labels, columnName: "head", max: 1, selected: { row: 0, column: 0 } },
    },
  },
  pieces: { args: [[{ label: "a", pieces: ["b"] }]], options: { ...shared, width: 90 } },
  planTiles: {
    args: [{ queryTile: 64, keyTile: 64, rows: 1, columns: 1, classes: [1] }],
    options: { ...shared, plane: 0 },
  },
  readViewFile: { args: [new TextEncoder().encode("[]")] },
  roofline: {
    args: [data([1, 2], 1, 1), [{ bytesPerSecond: 1, flopsPerSecond: 1 }]],
    options: { ...shared, labels: ["a"], meanings: ["key"] },
  },
  ropeClock: { args: [{ query: 1, key: 2 }, 4], options: { ...shared, base: 10, maxDials: 2 } },
  tableOf: { args: [viz.bars(data([1], 1))] },
  tokenArcs: {
    args: [weights, { labels }],
    options: { ...shared, labels, query: 0, direction: "down", minWeight: 0.1, max: 1 },
  },
  trainingView: { args: [[{ step: 1, loss: 2 }]], options: { ...shared, show: "loss" } },
  vectors: {
    args: [data([2], 1, 2)],
    options: { ...shared, labels: ["a"], meaning: "key", width: 9, rowHeight: 9, max: 1 },
  },
  weightPixels: { args: [weights], options: { theme: "dark", max: 1 } },
  weightShades: { args: [weights, { size: 9 }], options: { size: 9, max: 1, x: 0, y: 0 } },
};

const config = { model_type: "gpt2", n_embd: 8, n_head: 2, n_layer: 1, n_positions: 16, vocab_size: 9 };
const shape = cost.readConfig(config);
const formats = { weights: cost.formats.float16 };
const sample = { flops: 1, bytes: 1, calls: 1, timeMs: 1 };
const machine = cost.machines.h100;
const kind = { queryLength: 4, keyLength: 4, numHeads: 1, headDim: 2 };
const passes = [{ cost: cost.cost(shape), run: () => undefined }];
let clock = 0;
const now = () => (clock += 100);
const serving = { contextLength: 2, batchSize: 1, formats };

const costs: Record<string, Call> = {
  attentionTraffic: {
    args: [{ batchSize: 1, numHeads: 1, length: 8, headDim: 4 }],
    options: {
      ...{ batchSize: 1, numHeads: 1, length: 8, headDim: 4, bytesPerNumber: 2, backward: true },
      ...{ passes: ["mask"], sramBytes: 1024 },
    },
    at: 0,
  },
  calibrate: {
    args: [[sample, sample, sample]],
    options: { name: "a", memoryBytes: 1, source: "b" },
  },
  cost: {
    args: [shape],
    options: {
      ...{ batchSize: 1, queryLength: 1, contextLength: 2, sourceLength: 0, encodes: false },
      ...{ outputLength: 1, tileSize: 1, latent: "naive", formats },
    },
  },
  defineMachine: { args: [machine] },
  estimate: { args: [cost.cost(shape), machine], options: { layout: { tensor: 1, pipeline: 1 }, shape } },
  modelFlopsUtilization: {
    args: [shape, { tokensPerSecond: 1, contextLength: 1, machine }],
    options: { tokensPerSecond: 1, contextLength: 1, machine },
    at: 1,
  },
  quantized: { args: [{ bits: 4 }], options: { bits: 4, blockSize: 32, scaleBits: 16 }, at: 0 },
  kvCache: {
    args: [shape],
    accepts: [[]],
    options: { contextLength: 1, sourceLength: 0, batchSize: 1, format: cost.formats.float8, budget: 1 },
  },
  readCacheLayers: { args: [{ n_layers: 1, n_kv_heads: 1, head_dim: 4 }] },
  measure: {
    args: [() => () => undefined, { now }],
    required: 1,
    options: { now, budgetMs: 1, mostBytes: 1e6, passes },
  },
  memory: { args: [shape], options: serving },
  mixerCost: {
    args: ["retention", { numHeads: 1, keyDim: 2, valueDim: 2 }],
    options: {
      ...{ numHeads: 1, keyDim: 2, valueDim: 2, queryLength: 1, contextLength: 2, batchSize: 1 },
      ...{ format: cost.formats.float8, slots: 1, taps: 1, steps: 1 },
    },
    at: 1,
  },
  largestBatch: { args: [shape, { memoryBytes: 1e6 }], options: { ...serving, memoryBytes: 1e6 } },
  longestContext: { args: [shape, { memoryBytes: 1e6 }], options: { ...serving, memoryBytes: 1e6 } },
  pairsSeen: { args: [{ kind: "causal" }, 2, 4] },
  parameters: { args: [shape] },
  plan: {
    args: [shape, { users: 1, contextLength: 2, tokensPerSecond: 1, machine }],
    accepts: ["text", "", new Date(0)], // strings and objects: readConfig throws for these
    options: {
      users: 1,
      contextLength: 2,
      tokensPerSecond: 1,
      machine,
      formats,
      efficiency: 1,
      memoryShare: 1,
    },
  },
  readConfig: { args: [config] },
  ...Object.fromEntries(
    Object.keys(cost.costKinds).flatMap((name) =>
      name === "unchanged"
        ? []
        : [
            [
              `costKinds.${name}`,
              { args: [kind], options: { ...kind, windowSize: 2, visibleShare: 0.5 }, at: 0 },
            ],
          ],
    ),
  ),
};

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "list" : Number.isNaN(value) ? "NaN" : typeof value;
const values = [
  null,
  NaN,
  Infinity,
  -1,
  0.5,
  "text",
  "",
  true,
  [],
  [null],
  {},
  () => 1,
  1n,
  Symbol("x"),
  new Date(0),
];

/** Values that are wrong in place of `right`: those of other kinds, and those that no number, list or object may be. */
const wrongFor = (right: unknown) =>
  values.filter(
    (value) =>
      kindOf(value) !== kindOf(right) ||
      value === Infinity ||
      // A list or object of the right kind is wrong too if its contents are, so only empty ones are skipped.
      ((kindOf(right) === "list" || kindOf(right) === "object") &&
        text(value) !== "{}" &&
        text(value) !== "[]"),
  );

describe.each([
  { name: "viz", module: viz as Record<string, unknown>, calls: pictures, others: ["isPicture"] },
  {
    name: "cost",
    module: { ...cost, ...prefixed("costKinds.", cost.costKinds) } as Record<string, unknown>,
    calls: costs,
    others: ["costKinds.unchanged"],
  },
])("$name", ({ module, calls, others }) => {
  const call = (name: string, args: readonly unknown[]) =>
    (module[name] as (...all: unknown[]) => unknown)(...args);
  /** Calls with wrong arguments, and expects the function's error. */
  const refuses = (name: string, args: readonly unknown[], argument?: string) => {
    const start = performance.now();
    let answer: unknown;
    try {
      answer = call(name, args);
    } catch (error) {
      const what = `${name}(${args.map((each) => text(each)).join(", ")}): ${String(error)}`;
      expect(
        isQkvError(error),
        `${what}: an error of ours is thrown, with the fix, and no TypeError from inside`,
      ).toBe(true);
      expect((error as { fn: string }).fn, what).toBe(name);
      if (argument !== undefined) expect((error as { argument: string }).argument, what).toMatch(argument);
      expect(performance.now() - start, what).toBeLessThan(1000);
      return;
    }
    expect.unreachable(`${name}(${args.map((each) => text(each)).join(", ")}) gives ${text(answer)}`);
  };

  test("every function is called", () => {
    const functions = Object.keys(module).filter((name) => typeof module[name] === "function");
    expect(functions.filter((name) => !others.includes(name)).sort()).toEqual(Object.keys(calls).sort());
  });

  test.each(Object.entries(calls))(
    "%s refuses arguments of other kinds by its name",
    (name, { args, required = args.length, accepts = [] }) => {
      expect(() => call(name, args)).not.toThrow();
      refuses(name, []);
      args.forEach((right, i) => {
        for (const wrong of [...wrongFor(right), ...(i < required ? [undefined] : [])])
          if (!accepts.some((value) => text(value) === text(wrong))) refuses(name, args.with(i, wrong));
      });
      if (args.length > 1) refuses(name, args.toReversed());
    },
  );

  test.each(Object.entries(calls).filter(([, { options }]) => options))(
    "%s refuses options that it does not have, and values of other kinds, by its name",
    (name, { args, options = {}, at = args.length - (isOptions(args.at(-1), options) ? 1 : 0) }) => {
      const given = (args[at] ?? {}) as Record<string, unknown>;
      const withOptions = (more: unknown) => [...args.slice(0, at), more, ...args.slice(at + 1)];
      expect(() => call(name, withOptions({ ...given, ...options }))).not.toThrow();
      refuses(name, withOptions({ ...given, colour: 1 }), "colour");
      for (const wrong of [null, 1, "text", [], () => 1, true]) refuses(name, withOptions(wrong));
      for (const [option, right] of Object.entries(options)) {
        for (const wrong of wrongFor(right))
          refuses(name, withOptions({ ...given, ...options, [option]: wrong }));
        const misspelt = `${option}s`;
        if (!(misspelt in options)) refuses(name, withOptions({ ...given, [misspelt]: right }), misspelt);
      }
    },
  );
});

/** True if the last argument is the options object: it has no other fields. */
function isOptions(last: unknown, options: Record<string, unknown>): boolean {
  return kindOf(last) === "object" && Object.keys(last as object).every((name) => name in options);
}

function prefixed(prefix: string, functions: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(functions).map(([name, value]) => [prefix + name, value]));
}

/** A value as short text. */
function text(value: unknown): string {
  const plain = (_: string, each: unknown) =>
    typeof each === "bigint" || typeof each === "symbol" || typeof each === "function" ? String(each) : each;
  return (JSON.stringify(value, plain) ?? String(value)).slice(0, 200);
}
