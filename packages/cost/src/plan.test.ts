import { expect, test } from "vitest";
import { quantized } from "./formats.js";
import { machines } from "./machines.js";
import { largestBatch, longestContext, memory } from "./memory.js";
import { plan } from "./plan.js";
import { deepseek, gpt2 } from "@qkv/test-support/model-shapes";

const llama70b = {
  model_type: "llama",
  hidden_size: 8192,
  num_hidden_layers: 80,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  intermediate_size: 28672,
  vocab_size: 128256,
  max_position_embeddings: 131072,
};
const request = { users: 1000, contextLength: 8192, tokensPerSecond: 20, machine: machines.h100 };

test("a plan fits in memory and reaches the speed for all users", () => {
  const made = plan(llama70b, request);
  expect(made.bytesPerMachine).toBeLessThanOrEqual(0.9 * 80e9);
  expect(made.tokensPerSecond).toBeGreaterThanOrEqual(20);
  expect(made.replicas * made.batchSize).toBeGreaterThanOrEqual(1000);
  expect(made.machines).toBe(made.replicas * made.layout.tensor * made.layout.pipeline);
  expect(made.assumptions.join(" ")).toMatch(
    /: 80 GB, 3350 GB\/s.*60 % of its speed.*8192 tokens.*450 GB\/s/,
  );
});

test("workBytes: logits in float32, the widest layer and 4 rows in float16", () => {
  const { weightBytes, cacheBytes, workBytes, bytes } = memory(gpt2, { batchSize: 3 });
  expect(workBytes).toBe(3 * (4 * 50257 + 2 * (2 * 3072 + 4 * 768)));
  expect(bytes).toBe(weightBytes + cacheBytes + workBytes);
});

test("more users, longer contexts and more speed never take fewer machines; fewer bits never more", () => {
  const count = (change: object) => plan(llama70b, { ...request, ...change }).machines;
  const base = count({});
  expect(count({ users: 4000 })).toBeGreaterThan(base);
  expect(count({ contextLength: 32768 })).toBeGreaterThan(base);
  expect(count({ tokensPerSecond: 40 })).toBeGreaterThanOrEqual(base);
  expect(
    count({ formats: { weights: quantized({ bits: 4 }), cache: quantized({ bits: 8 }) } }),
  ).toBeLessThanOrEqual(base);
  expect(count({ machine: machines.b200 })).toBeLessThan(base);
});

test("GPT-2 fits in a browser tab, DeepSeek-V3 needs several H200", () => {
  expect(
    plan(gpt2, { users: 1, contextLength: 1024, tokensPerSecond: 5, machine: machines.browserTab }),
  ).toMatchObject({ machines: 1 });
  expect(plan(deepseek, { ...request, machine: machines.h200 }).layout.tensor).toBeGreaterThan(1);
});

test("requests that no layout fulfils are refused with the reason", () => {
  expect(() => plan(llama70b, { ...request, machine: machines.t4 })).toThrow(
    /plan: `machine` is "T4", expected machines that hold 143\.\d GB/,
  );
  expect(() => plan(llama70b, { ...request, tokensPerSecond: 1e6 })).toThrow(
    "plan: `tokensPerSecond` is 1000000, expected what H100 SXM can give",
  );
  expect(() => plan(llama70b, { ...request, users: 0 })).toThrow("plan: `users` is 0");
  expect(() => plan(llama70b, { ...request, efficiency: 0 })).toThrow("plan: `efficiency` is 0");
});

test("memory: the longest context and the largest batch fit, and one more does not", () => {
  const memoryBytes = 1e9;
  const context = longestContext(gpt2, { memoryBytes, batchSize: 3 });
  const bytes = (contextLength: number, batchSize: number) =>
    memory(gpt2, { contextLength, batchSize }).bytes;
  expect(bytes(context, 3)).toBeLessThanOrEqual(memoryBytes);
  expect(bytes(context + 1, 3)).toBeGreaterThan(memoryBytes);
  const batch = largestBatch(gpt2, { memoryBytes, contextLength: 100 });
  expect(bytes(100, batch)).toBeLessThanOrEqual(memoryBytes);
  expect(bytes(100, batch + 1)).toBeGreaterThan(memoryBytes);
  expect(longestContext(gpt2, { memoryBytes: 1e8 })).toBe(0);
});
