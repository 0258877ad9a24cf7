import { mul, sum } from "@qkv/tensor";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import { expect, test } from "vitest";
import { inFloat64 } from "../lens-model.js";
import { logitDifference } from "../patching/metric.js";
import { runWithTrace } from "../run-with-trace.js";
import { gradientTimesInput, integratedGradients } from "./saliency.js";

const model = inFloat64(randomDecoder("gpt2", { vocabSize: 13 } as never));
const ids = [3, 1, 4, 1];
const metric = logitDifference({ token: 4, minus: 9 });
const at = (scale: number) =>
  metric(runWithTrace(model, ids, { names: [], hooks: { embeddings: (x) => mul(x, scale) } }).logits)
    .data[0]!;

test("gradient times input is the derivative of the metric with respect to a scale of the embeddings", () => {
  const all = sum(gradientTimesInput(model, ids, { metric })).data[0]!;
  const h = 1e-5;
  expect(all).toBeCloseTo((at(1 + h) - at(1 - h)) / (2 * h), 6);
  expect(gradientTimesInput(model, ids, { metric }).shape).toEqual([4]);
});

test("integrated gradients sum to the metric minus that of the baseline", () => {
  const { tensors } = runWithTrace(model, ids, { names: ["embeddings"] });
  const baseline = mul(tensors["embeddings"]!, 0.5);
  const all = sum(integratedGradients(model, ids, { metric, baseline, steps: 64 })).data[0]!;
  expect(all).toBeCloseTo(at(1) - at(0.5), 4);
});

test("tokens after the position of the metric get 0, earlier ones a share", () => {
  const early = logitDifference({ token: 4, minus: 9, position: 1 });
  const shares = gradientTimesInput(model, ids, { metric: early }).data;
  expect([shares[0] !== 0, shares[1] !== 0, shares[2], shares[3]]).toEqual([true, true, 0, 0]);
});

test("the name of a tensor without rows, and 0 steps, are refused", () => {
  expect(() => gradientTimesInput(model, ids, { metric, name: "layers.0.attention.heads" })).toThrow(
    /gradientTimesInput: `name` is "layers\.0\.attention\.heads"/,
  );
  expect(() => integratedGradients(model, ids, { metric, steps: 0 })).toThrow(
    /integratedGradients: `steps` is 0/,
  );
});
