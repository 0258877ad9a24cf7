import { expect, test } from "vitest";
import { modelFlopsUtilization } from "./model-flops-utilization.js";
import { parameters } from "./parameters.js";
import { readConfig } from "./read-config.js";

const shape = readConfig({
  model_type: "gpt2",
  n_embd: 768,
  n_head: 12,
  n_layer: 12,
  n_positions: 1024,
  vocab_size: 50257,
});
const machine = { flopsPerSecond: 1e12 };

test("a token costs 6 FLOPs per weight of a matrix product, plus attention", () => {
  const { flopsPerToken } = modelFlopsUtilization(shape, { tokensPerSecond: 1, contextLength: 1, machine });
  // Positions are looked up, and the embedding is multiplied once, as the output map.
  const weights = parameters(shape).total - 1024 * 768;
  expect(flopsPerToken / (6 * weights)).toBeGreaterThan(0.99);
  expect(flopsPerToken / (6 * weights)).toBeLessThan(1.02);
  const long = modelFlopsUtilization(shape, { tokensPerSecond: 1, contextLength: 1024, machine });
  // PaLM's 12 L H D T without a mask; half of the pairs are seen.
  expect((long.flopsPerToken - flopsPerToken) / (6 * 12 * 768 * 1024)).toBeCloseTo(1, 0);
});

test("with an adapter, its weights cost 6 FLOPs each and frozen weights 4", () => {
  const speed = { tokensPerSecond: 1, contextLength: 64, machine };
  const whole = modelFlopsUtilization(shape, speed).flopsPerToken;
  const frozen = modelFlopsUtilization(shape, { ...speed, adapterParameters: 0 }).flopsPerToken;
  // Positions are looked up.
  const weights = parameters(shape).total - 1024 * 768;
  expect((whole - frozen) / (2 * weights)).toBeCloseTo(1, 2);
  const adapter = modelFlopsUtilization(shape, { ...speed, adapterParameters: 1000 }).flopsPerToken;
  expect(adapter).toBe(frozen + 6000);
  expect(() => modelFlopsUtilization(shape, { ...speed, adapterParameters: -1 })).toThrow(
    "`adapterParameters` is -1",
  );
});

test("in a mixture of experts, only active experts count", () => {
  const mixture = readConfig({
    ...{ model_type: "mixtral", hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2 },
    ...{ num_attention_heads: 4, num_key_value_heads: 4, vocab_size: 100 },
    ...{ num_local_experts: 8, num_experts_per_tok: 2 },
  });
  const speed = { tokensPerSecond: 1, contextLength: 32, machine };
  const whole = modelFlopsUtilization(mixture, speed).flopsPerToken;
  const frozen = modelFlopsUtilization(mixture, { ...speed, adapterParameters: 0 }).flopsPerToken;
  const active = parameters(mixture).active - 100 * 64; // the table of the embedding is looked up
  expect((whole - frozen) / (2 * active)).toBeCloseTo(1, 1);
});

test("utilization is the fraction of the machine's FLOPs", () => {
  const speed = { tokensPerSecond: 1000, contextLength: 256, machine };
  const { flopsPerToken, flopsPerSecond, utilization } = modelFlopsUtilization(shape, speed);
  expect(flopsPerSecond).toBe(flopsPerToken * 1000);
  expect(utilization).toBe(flopsPerSecond / 1e12);
  expect(() => modelFlopsUtilization(shape, { ...speed, tokensPerSecond: 0 })).toThrow(
    "modelFlopsUtilization: `tokensPerSecond` is 0",
  );
  expect(() => modelFlopsUtilization(shape, { ...speed, machine: {} as never })).toThrow(
    "`machine.flopsPerSecond`",
  );
});
