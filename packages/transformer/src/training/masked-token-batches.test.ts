import { expect, test } from "vitest";
import { maskedTokenBatches } from "./masked-token-batches.js";

const ids = Array.from({ length: 50_000 }, (_, i) => 10 + (i % 90));
const options = { batchSize: 400, contextLength: 100, seed: 3, maskId: 1, vocabSize: 100 };

test("15 % of tokens are targets: 80 % masked, 10 % random and 10 % unchanged", () => {
  const { ids: inputs, targets } = maskedTokenBatches(ids, options)(0);
  let [targetCount, masked, unchanged] = [0, 0, 0];
  targets.data.forEach((target, n) => {
    if (target === -100) return;
    targetCount++;
    if (inputs.data[n] === 1) masked++;
    else if (inputs.data[n] === target) unchanged++;
  });
  // Within five standard deviations of 40,000 draws.
  expect(Math.abs(targetCount / 40_000 - 0.15)).toBeLessThan(0.009);
  expect(Math.abs(masked / targetCount - 0.8)).toBeLessThan(0.026);
  expect(Math.abs(unchanged / targetCount - 0.1)).toBeLessThan(0.02);
});

test("tokens that are not targets are unchanged", () => {
  const { ids: inputs, targets } = maskedTokenBatches(ids, options)(4);
  const row = [...inputs.data.subarray(0, 100)].map((id, n) =>
    targets.data[n] === -100 ? id : targets.data[n]!,
  );
  row.slice(1).forEach((id, n) => expect(id).toBe(row[n] === 99 ? 10 : row[n]! + 1));
});

test("a maskProbability of 0 is refused", () => {
  expect(() => maskedTokenBatches(ids, { ...options, maskProbability: 0 })).toThrow(
    /`maskProbability` is 0.*\nFix: BERT asks/,
  );
});
