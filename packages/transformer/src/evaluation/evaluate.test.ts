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

/** A model that gives the token after a token the logit ln 5, and the three others 0: five chances of eight. */
const counting: EvaluatedModel = {
  config,
  params: decoder(config).init(1),
  apply: (_, ids) => {
    const rows = (ids as number[]).map((id) =>
      [0, 1, 2, 3].map((other) => (other === (id + 1) % 4 ? Math.log(5) : 0)),
    );
    return tensor([rows]);
  },
  tokenizer: {
    vocabSize: 4,
    encode: (text: string) => [...text].map(Number),
  } as NonNullable<EvaluatedModel["tokenizer"]>,
};

test("golden: a model that is right by five chances in eight, and once wrong, by hand", async () => {
  const { tokens, bytes, loss, perplexity, bitsPerByte } = await evaluate(counting, ["012", "00"]);
  const nats = 2 * Math.log(8 / 5) + Math.log(8);
  expect([tokens, bytes]).toEqual([3, 5]);
  expect(loss).toBeCloseTo(nats / 3, 6);
  expect(perplexity).toBeCloseTo(Math.exp(nats / 3), 5);
  expect(bitsPerByte).toBeCloseTo(nats / Math.LN2 / 5, 6);
});

test("ids have no bytes; a text longer than the context is split into chunks, and each token but the first predicted once", async () => {
  const seen: number[][] = [];
  const watched = {
    ...counting,
    apply: ((params, ids, options) => {
      seen.push([...(ids as number[])]);
      return counting.apply(params, ids, options);
    }) as EvaluatedModel["apply"],
  };
  const ticks: number[] = [];
  const { tokens, bytes, bitsPerByte } = await evaluate(watched, [[0, 1, 2, 3, 0, 1, 2, 3, 0]], {
    onProgress: (tokens) => ticks.push(tokens),
  });
  expect(seen).toEqual([
    [0, 1, 2, 3],
    [0, 1, 2, 3],
  ]);
  expect([tokens, bytes, bitsPerByte, ticks]).toEqual([8, undefined, undefined, [4, 8]]);
  await evaluate(watched, [[0, 1, 2, 3]], { contextLength: 2 });
  expect(seen.slice(2)).toEqual([[0, 1], [2]]);
});

test("it ends at a signal, and asks for what it can predict", async () => {
  const reason = new Error("enough");
  await expect(evaluate(counting, ["012"], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await expect(evaluate(counting, ["0"])).rejects.toThrow(/evaluate: `texts` is "nothing to predict"/);
  const silent = { ...counting, tokenizer: undefined };
  await expect(evaluate(silent, ["012"])).rejects.toThrow(
    /expected token ids, since the model has no tokenizer/,
  );
  expect(
    (await evaluate({ ...silent, apply: (_, ids) => zeros([1, (ids as number[]).length, 4]) }, [[1, 2]]))
      .perplexity,
  ).toBeCloseTo(4, 6);
});

test("ids outside the vocabulary are refused by their place; a made-up model without a vocabulary size has no upper bound", async () => {
  await expect(
    evaluate(counting, [
      [0, 1],
      [2, 4, 1],
    ]),
  ).rejects.toThrow(/evaluate: `texts\[1\]\[1\]` is 4, expected an integer from 0 to 3/);
  const { vocabSize: _, ...unsized } = config;
  const madeUp: EvaluatedModel = { ...counting, config: unsized as typeof config };
  expect((await evaluate(madeUp, [[0, 1, 2, 3]])).tokens).toBe(3);
  await expect(evaluate(madeUp, [[0, -1]])).rejects.toThrow(
    /`texts\[0\]\[1\]` is -1, expected an integer, 0 or more, a token id of the model/,
  );
});
