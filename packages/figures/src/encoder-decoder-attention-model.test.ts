import { additive } from "@qkv/attention";
import { tensor, type Tensor } from "@qkv/tensor";
import { dates } from "@qkv/transformer/tasks";
import { expect, test } from "vitest";
import { encoderDecoderAttentionModel } from "./encoder-decoder-attention-model.js";
import { isoDate } from "./encoder-decoder-attention/date-sources.js";
import { dateLetters, dateTranslator } from "./encoder-decoder-attention/date-translator.js";
import { bytesOfWeights, weightsFromText } from "./half-weights.js";
import { weights } from "./encoder-decoder-attention/weights.js";

const F = 32;
const translator = dateTranslator();
const params = weightsFromText(translator.init(0), weights);
const close = (a: readonly number[], b: Iterable<number | bigint>) =>
  Array.from(b, Number).forEach((value, i) => expect(a[i]).toBeCloseTo(value, 5));

test("the letters are those of greedyDecode, and the weights those of its trace", async () => {
  for (const source of ["3 May 1979", "September 27, 2045", "03.05.1979"]) {
    const model = await encoderDecoderAttentionModel({ source });
    const read = translator.encode(params, tensor([dateLetters.encode(source)], { dtype: "int32" }));
    const ids = translator.greedyDecode(params, read, { startId: dateLetters.startId, length: 11 })[0]!;
    const letters = model.decoded.map(({ letter }) => letter).join("");
    expect(letters).toBe(dateLetters.decode(ids));
    expect(letters).toBe(model.target);
    const tensors: Record<string, Tensor> = {};
    const input = tensor([[dateLetters.startId, ...ids.slice(0, -1)]], { dtype: "int32" });
    translator.apply(params, read, input, { trace: { names: ["weights"], tensors } });
    const alignment = tensors["weights"]!.data;
    const S = source.length;
    model.decoded.forEach(({ weights }, t) => close(weights, alignment.slice(t * S, (t + 1) * S)));
    close(model.annotations.flat(), read.annotations.data);
  }
});

test("scores, weights and context are those of additive attention, keys and values the same annotations", async () => {
  const { decoded, annotations, projectedKeys, scoreWeights } = await encoderDecoderAttentionModel();
  const layer = additive({ queryDim: F, keyDim: F, hiddenDim: F });
  const keys = tensor([annotations.map((row) => [...row])]);
  for (const { state, projectedQuery, scores, weights, context } of decoded) {
    close(context, layer.apply(params.attention, tensor([[[...state]]]), keys, keys).data);
    const max = Math.max(...scores);
    const sum = scores.reduce((all, score) => all + Math.exp(score - max), 0);
    scores.forEach((score, j) => {
      const met = projectedQuery.map((value, i) => Math.tanh(value + projectedKeys[j]![i]!));
      expect(met.reduce((all, value, i) => all + value * scoreWeights[i]!, 0)).toBeCloseTo(score, 4);
      expect(Math.exp(score - max) / sum).toBeCloseTo(weights[j]!, 5);
    });
    context.forEach((value, c) =>
      expect(weights.reduce((all, weight, j) => all + weight * annotations[j]![c]!, 0)).toBeCloseTo(value, 5),
    );
  }
});

test("the query of a letter is the state after the previous letter", async () => {
  const { decoded } = await encoderDecoderAttentionModel();
  decoded.slice(1).forEach(({ state }, t) => expect(state).toEqual(decoded[t]!.next));
  for (const { probability, second } of decoded)
    expect(probability).toBeGreaterThanOrEqual(second.probability);
});

test("19 of 20 dates that it was not trained on, or more, are correct", async () => {
  const pairs = dates({ seed: 1 });
  const list = Array.from({ length: 20 }, (_, i) => pairs(5_000_000 + i));
  let right = 0;
  for (const { source, target } of list) {
    const model = await encoderDecoderAttentionModel({ source });
    expect(model.target).toBe(target);
    if (model.decoded.map(({ letter }) => letter).join("") === target) right++;
  }
  expect(right).toBeGreaterThanOrEqual(19);
});

test("weights are read as they were written", () => {
  expect(Buffer.from(bytesOfWeights(params)).toString("base64")).toBe(weights);
});

test.each([
  "",
  "May 1979",
  "31 February 1979",
  "30.02.2000",
  "3 may 1979",
  "3 May 1850",
  "May 3 1979",
  "1979-05-03",
  "hello",
])("what is no date of its kind is refused: %s", async (source) => {
  expect(isoDate(source)).toBeUndefined();
  await expect(encoderDecoderAttentionModel({ source })).rejects.toThrow(
    /encoderDecoderAttentionModel: `source` is ".*", expected a date from 1900 to 2099/,
  );
});
