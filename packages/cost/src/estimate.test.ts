import fc from "fast-check";
import { expect, test } from "vitest";
import { cost } from "./cost.js";
import { estimate } from "./estimate.js";
import { defineMachine } from "./machine.js";
import { machines } from "./machines.js";
import { readConfig } from "./read-config.js";
import { gpt2, llamaConfig } from "@qkv/test-support/model-shapes";

const free = defineMachine({ ...machines.a10, overheadMs: 0 });

test("property: a pass takes at least its memory time and its compute time, and operators sum to it", () => {
  fc.assert(
    fc.property(llamaConfig, fc.integer({ min: 1, max: 2000 }), (config, queryLength) => {
      const pass = cost(readConfig(config), { queryLength });
      const { timeMs, timeMsBy, operators } = estimate(pass, machines.a10);
      expect(timeMs).toBeGreaterThanOrEqual((1000 * pass.flops) / machines.a10.flopsPerSecond);
      expect(timeMs).toBeGreaterThanOrEqual((1000 * pass.bytes) / machines.a10.bytesPerSecond);
      const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
      expect(sum(Object.values(timeMsBy)) / timeMs).toBeCloseTo(1, 9);
      expect(sum(operators.map((operator) => operator.timeMs)) / timeMs).toBeCloseTo(1, 9);
      // Twice the machine, half the time.
      const twice = {
        ...free,
        flopsPerSecond: 2 * free.flopsPerSecond,
        bytesPerSecond: 2 * free.bytesPerSecond,
      };
      expect(estimate(pass, free).timeMs / estimate(pass, twice).timeMs).toBeCloseTo(2, 9);
    }),
  );
});

test("one token is bound by memory, a prompt by compute, a tiny model by overhead", () => {
  expect(estimate(cost(gpt2, { contextLength: 512 }), free).boundBy).toBe("memory");
  expect(estimate(cost(gpt2, { batchSize: 64, queryLength: 1024 }), free).boundBy).toBe("compute");
  expect(estimate(cost(gpt2), { ...machines.h100, overheadMs: 1 }).boundBy).toBe("overhead");
});

test("layouts: tensor parallelism is faster until all-reduces dominate; a pipeline raises the throughput only", () => {
  const shape = readConfig({
    model_type: "llama",
    hidden_size: 8192,
    num_hidden_layers: 80,
    num_attention_heads: 64,
    num_key_value_heads: 8,
    intermediate_size: 28672,
    vocab_size: 128256,
  });
  const step = cost(shape, { contextLength: 8192 });
  const on = (tensor: number, pipeline: number) =>
    estimate(step, machines.h100, { layout: { tensor, pipeline }, shape });
  expect(on(8, 1).timeMs).toBeLessThan(on(1, 1).timeMs / 4);
  expect(on(1, 4).timeMs).toBeGreaterThan(on(1, 1).timeMs);
  expect(on(1, 4).tokensPerSecond).toBeGreaterThan(3.9 * on(1, 1).tokensPerSecond);
  // Two sums a layer, of one row each: a ring of 8 sends 7/8 of it twice.
  const sumMs = (2 * 7 * 8192 * 2) / 8 / 450e6 + 2 * 0.003;
  expect(on(8, 1).timeMsBy.link).toBeCloseTo(2 * 80 * sumMs, 9);
});

test("levels: a pass whose working set fits in a cache has the bandwidth of the cache", () => {
  const machine = defineMachine({
    ...free,
    levels: [
      { workingSetBytes: 1e6, bytesPerSecond: 4e12 },
      { workingSetBytes: 1e8, bytesPerSecond: 1e12 },
    ],
  });
  const at = (workingSetBytes: number) => {
    const pass = {
      operators: [
        {
          name: "x",
          times: 1,
          flops: 1,
          weightBytes: 1,
          activationBytes: 0,
          cacheBytes: 0,
          bytes: 1e9,
          intensity: 0,
          calls: 1,
        },
      ],
      flops: 1,
      weightBytes: workingSetBytes,
      activationBytes: 0,
      cacheBytes: 0,
      bytes: 1e9,
      intensity: 0,
      calls: 1,
      tokens: 1,
    };
    return estimate(pass, machine).timeMs;
  };
  expect([at(1), at(1e6), at(1e7), at(1e8), at(1e12)].map((ms) => Number(ms.toFixed(6)))).toEqual([
    0.25, 0.25, 0.5, 1, 1,
  ]);
});

test.each([
  [machines.h100, { tensor: 16, pipeline: 1 }, "expected at most 8 tensor-parallel machines"],
  [machines.t4, { tensor: 1, pipeline: 2 }, "expected one machine, as this one has no link"],
  [
    machines.h100,
    { tensor: 0, pipeline: 1 },
    "estimate: `tensor` is 0, expected an integer number of machines, 1 or more",
  ],
])("refused: %#", (machine, layout, message) => {
  expect(() => estimate(cost(gpt2), machine, { layout, shape: gpt2 })).toThrow(message);
});

test("a layout of several machines needs the shape; a machine needs speeds", () => {
  expect(() => estimate(cost(gpt2), machines.h100, { layout: { tensor: 2, pipeline: 1 } })).toThrow(
    "estimate: `shape` is undefined",
  );
  expect(() => defineMachine({ ...free, bytesPerSecond: 0 })).toThrow(
    "defineMachine: `bytesPerSecond` is 0, expected a number of bytes per second above 0",
  );
  expect(() => defineMachine({ ...free, overheadMs: -1 })).toThrow("`overheadMs` is -1");
});
