import { expect, test } from "vitest";
import { formats } from "./formats.js";
import { mixerCost, mixerNames, type MixerCostCall } from "./mixer-costs.js";
import type { MixerName } from "./mixer-counts.js";

const sizes: MixerCostCall = { numHeads: 1, keyDim: 4, valueDim: 3, slots: 5, taps: 3, steps: 2 };

// Counted by hand from the step of each: K = 4, V = 3, KV = 12. A decay of the state costs KV, a read or a write of k vᵀ 2 KV,
// what a key reads another 2 KV. State numbers of a head.
const byHand: Record<MixerName, [flops: number, state: number]> = {
  linearAttention: [48, 12], // write, read
  retention: [60, 12], // decay, write, read
  lightningAttention: [60, 12],
  simpleGla: [60, 12],
  gla: [60, 12],
  rwkv6: [60, 12],
  ssd: [60, 12],
  deltaRule: [72, 12], // what the key reads, write, read
  gatedDeltaRule: [84, 12], // decay before
  kda: [84, 12],
  gdn2: [84, 12],
  selectiveScan: [84, 12], // exp and the product of the decay, the input's two, write, read
  dplr: [108, 12], // decay, aᵀS, b (aᵀS), write, read
  rwkv7: [108, 12],
  deltaProduct: [156, 12], // one decay, two delta steps and reads
  preconditionedDeltaRule: [84, 16], // a column of moments
  based: [4 * 21 * 3, 21 * 4], // features 1, x, x²: 21 rows
  rebased: [4 * 16 * 3, 16 * 4],
  hgrn: [9, 3],
  shortConvolution: [8 * 4, 8],
  gatedSlotAttention: [5 * 5 * 7, 35],
  abc: [5 * 5 * 7, 40],
  tttLinear: [8 * 16, 40], // weight and bias, and their gradients
  titans: [8 * 16, 48],
  mesaNet: [64 / 3 + 5 * 4 * 7, 28],
  logLinearAttention: [60, 12], // one level after one token
  deltaFormer: [2 * (8 + 6 + 5), 7],
};

test.each(mixerNames)("%s: golden FLOPs of a token and size of the state", (name) => {
  const { flops, stateNumbers } = mixerCost(name, sizes);
  expect(flops).toBeCloseTo(byHand[name][0], 9);
  expect(stateNumbers).toBe(byHand[name][1]);
});

test("the cost of a prompt is the sum of its tokens, and the state does not grow", () => {
  for (const name of mixerNames) {
    const one = mixerCost(name, sizes);
    const call = { ...sizes, numHeads: 3, queryLength: 7, batchSize: 2, format: formats.float16 };
    const many = mixerCost(name, call);
    const grows = name === "logLinearAttention" || name === "deltaFormer";
    if (!grows) expect(many.flops, name).toBeCloseTo(2 * 3 * 7 * one.flops, 9);
    if (!grows) expect(many.stateNumbers, name).toBe(3 * one.stateNumbers);
    expect(many.stateBytes, name).toBe(2 * many.stateNumbers * 2);
    // Token by token costs what the prompt does.
    const steps = Array.from({ length: 7 }, (_, t) =>
      mixerCost(name, { ...call, queryLength: 1, contextLength: t + 1 }),
    );
    expect(
      steps.reduce((sum, { flops }) => sum + flops, 0),
      name,
    ).toBeCloseTo(many.flops, 6);
  }
  const levels = [1, 2, 3, 4, 7, 8].map(
    (contextLength) => mixerCost("logLinearAttention", { ...sizes, contextLength }).stateNumbers / 12,
  );
  expect(levels).toEqual([1, 2, 2, 3, 3, 4]);
});

test("unknown mixers and wrong sizes are refused", () => {
  expect(() => mixerCost("mamba" as never, sizes)).toThrow(
    `mixerCost: \`name\` is "mamba", expected one of linearAttention, retention, lightningAttention, … (\`mixerNames\` lists all ${mixerNames.length}).`,
  );
  expect(() => mixerCost("gla", { ...sizes, keyDim: 0 })).toThrow(/mixerCost: `keyDim` is 0/);
  expect(() => mixerCost("gla", { ...sizes, queryLength: 4, contextLength: 3 })).toThrow(
    /`contextLength` is 3/,
  );
  expect(() => mixerCost("gla", { ...sizes, heads: 2 } as never)).toThrow(/`heads`/);
});
