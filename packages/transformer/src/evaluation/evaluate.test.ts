import { tensor, zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { evaluate, type EvaluatedModel } from "./evaluate.js";
import { decoder } from "../models/decoder.js";

const config = {
  vocabSize: 4,
  embedDim: 4,
  hiddenDim: 4,
  numLayers: 1,
  numHeads: 1,
  numKvHeads: 1,
  contextLength: 4,
  normEps: 1e-5,
  stopIds: [],
};

/** A model that expects id + 1 (modulo 4) after each id: its logit is ln 5 and the other three are 0, so that its probability is 5/8. */
const countingModel: EvaluatedModel = {
  config,
  params: decoder(config).init(1),
  apply: (_, ids) => {
    const rows = (ids as number[]).map((id) =>
      [0, 1, 2, 3].map((next) => (next === (id + 1) % 4 ? Math.log(5) : 0)),
    );
    return tensor([rows]);
  },
  tokenizer: {
    vocabSize: 4,
    encode: (text: string) => [...text].map(Number),
  } as NonNullable<EvaluatedModel["tokenizer"]>,
};

test("golden: loss, perplexity and bits per byte of two tokens with probability 5/8 and one with 1/8", async () => {
  const { tokens, bytes, loss, perplexity, bitsPerByte } = await evaluate(countingModel, ["012", "00"]);
  const nats = 2 * Math.log(8 / 5) + Math.log(8);
  expect([tokens, bytes]).toEqual([3, 5]);
  expect(loss).toBeCloseTo(nats / 3, 6);
  expect(perplexity).toBeCloseTo(Math.exp(nats / 3), 5);
  expect(bitsPerByte).toBeCloseTo(nats / Math.LN2 / 5, 6);
});

test("a text longer than the context is split into chunks that predict each token but the first once; ids have no bits per byte", async () => {
  const seen: number[][] = [];
  const recordingModel = {
    ...countingModel,
    apply: ((params, ids, options) => {
      seen.push([...(ids as number[])]);
      return countingModel.apply(params, ids, options);
    }) as EvaluatedModel["apply"],
  };
  const reported: number[] = [];
  const { tokens, bytes, bitsPerByte } = await evaluate(recordingModel, [[0, 1, 2, 3, 0, 1, 2, 3, 0]], {
    onProgress: (tokens) => reported.push(tokens),
  });
  expect(seen).toEqual([
    [0, 1, 2, 3],
    [0, 1, 2, 3],
  ]);
  expect([tokens, bytes, bitsPerByte, reported]).toEqual([8, undefined, undefined, [4, 8]]);
  await evaluate(recordingModel, [[0, 1, 2, 3]], { contextLength: 2 });
  expect(seen.slice(2)).toEqual([[0, 1], [2]]);
});

test("an aborted signal, texts of one token, and texts without a tokenizer are refused", async () => {
  const reason = new Error("enough");
  await expect(evaluate(countingModel, ["012"], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await expect(evaluate(countingModel, ["0"])).rejects.toThrow(/evaluate: `texts` is "nothing to predict"/);
  const withoutTokenizer = { ...countingModel, tokenizer: undefined };
  await expect(evaluate(withoutTokenizer, ["012"])).rejects.toThrow(
    /expected token ids, since the model has no tokenizer/,
  );
  expect(
    (
      await evaluate({ ...withoutTokenizer, apply: (_, ids) => zeros([1, (ids as number[]).length, 4]) }, [
        [1, 2],
      ])
    ).perplexity,
  ).toBeCloseTo(4, 6);
});

test("an error names the index of an id outside the vocabulary; a model without vocabSize has no upper bound", async () => {
  await expect(
    evaluate(countingModel, [
      [0, 1],
      [2, 4, 1],
    ]),
  ).rejects.toThrow(/evaluate: `texts\[1\]\[1\]` is 4, expected an integer from 0 to 3/);
  const { vocabSize: _, ...unsized } = config;
  const unsizedModel: EvaluatedModel = { ...countingModel, config: unsized as typeof config };
  expect((await evaluate(unsizedModel, [[0, 1, 2, 3]])).tokens).toBe(3);
  await expect(evaluate(unsizedModel, [[0, -1]])).rejects.toThrow(
    /`texts\[0\]\[1\]` is -1, expected an integer, 0 or more, a token id of the model/,
  );
});
