import { tensorsOf } from "@qkv/tensor";
import { isQuantized } from "@qkv/tensor/quantized";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { generate } from "../generation/generate.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { decoder } from "../models/decoder.js";
import type { Model } from "../models/model.js";
import { quantize, type Quantization } from "./quantize.js";

const config: DecoderConfig = {
  vocabSize: 23,
  embedDim: 64,
  hiddenDim: 96,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  contextLength: 32,
  normEps: 1e-5,
  stopIds: [],
};
function makeModel(changes: Partial<DecoderConfig> = {}): Model {
  const { init, apply, ...made } = decoder({ ...config, ...changes });
  return { config: made.config, params: init(1), tokenizer: undefined, apply };
}
const ids = [3, 14, 1, 5, 9, 2, 6];
const computeLogits = ({ apply, params }: Model): number[] => Array.from(apply(params, ids).data);

test("relative errors are below 0.01 in 8 bits and 0.15 in 4 bits, for logits twice that", () => {
  const model = makeModel();
  const plain = computeLogits(model);
  const norm = Math.sqrt(plain.reduce((sum, x) => sum + x * x, 0));
  for (const [kind, least, most] of [
    ["int8", 0.001, 0.01],
    ["int4", 0.02, 0.15],
  ] as const) {
    const { model: rounded, report } = quantize(model, { kind });
    expect(Object.keys(report.errors)).toHaveLength(2 * 7 + 1);
    for (const error of Object.values(report.errors)) {
      expect(error).toBeGreaterThan(least);
      expect(error).toBeLessThan(most);
    }
    const logits = computeLogits(rounded);
    const difference = Math.sqrt(logits.reduce((sum, x, i) => sum + (x - plain[i]!) ** 2, 0)) / norm;
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(2 * most);
    expect(report.bytesAfter).toBeLessThan(report.bytesBefore / (kind === "int8" ? 3 : 5));
  }
});

test("only matrices are quantized, and the original params do not change", () => {
  const model = makeModel({ experts: { numExperts: 3, expertsPerToken: 2 }, qkNorm: true });
  const before = tensorsOf(model.params).map(({ data }) => data.slice());
  const { model: rounded, report } = quantize(model);
  const [first] = rounded.params.layers;
  expect(isQuantized(first!.attention.query.weight)).toBe(true);
  expect(first!.attentionNorm.weight.dtype).toBe("float32");
  expect(first!.attention.queryNorm!.weight.dtype).toBe("float32");
  expect(rounded.params.embedding.weight.data).toEqual(model.params.embedding.weight.data);
  expect(Object.keys(report.errors)).toContain("layers.1.feedForward.experts.2.down.weight");
  expect(tensorsOf(model.params).map(({ data }) => data)).toEqual(before);
  expect(computeLogits(rounded).length).toBe(7 * 23);
});

test("a quantized model generates, and int8 activations give close logits", async () => {
  const { model } = quantize(makeModel());
  const generatedIds: number[] = [];
  for await (const { id } of generate(model, ids, { maxTokens: 5 })) generatedIds.push(id);
  expect(generatedIds).toHaveLength(5);
  const [plain, int8Activations] = [model, quantize(makeModel(), { activations: "int8" }).model].map(
    computeLogits,
  );
  expect(int8Activations).not.toEqual(plain);
  const largest = plain!.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  expect(int8Activations!).toBeAllclose(plain!, { rtol: 0, atol: 0.15 * largest });
});

test("an unknown kind is refused", () => {
  expect(() => quantize(makeModel(), { kind: "int2" as Quantization })).toThrow(
    /quantize: `kind` is "int2", expected "int8" or "int4"/,
  );
});
