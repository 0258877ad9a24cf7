import type { Tensor } from "@qkv/tensor";
import { decoder } from "@qkv/transformer";
import { beforeAll, expect, test } from "vitest";
import { headAt, idsOf, lookAt, mostTokens, weightsOf, withKvHeads, type Look } from "./look.js";
import { firstModel } from "./model.js";
import { firstHead, sentence } from "./sentence.js";

let model: Awaited<ReturnType<typeof firstModel>>;
let look: Look;
beforeAll(async () => {
  model = await firstModel();
  look = await lookAt(model, model.apply, sentence);
});

test("the tokens join to the text, and every row of weights sums to 1", () => {
  expect(look.tokens.join("")).toBe(sentence);
  const T = look.tokens.length;
  for (let row = 0; row < look.layers * look.heads * T; row++) {
    const sum = look.weights.subarray(row * T, (row + 1) * T).reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(1, 5);
  }
});

test("the data of single heads equal the model's: scores, weights, and the sum of all heads' outputs", async () => {
  const ids = idsOf(model, sentence);
  const tensors: Record<string, Tensor> = {};
  model.apply(model.params, ids, { trace: { names: ["attentionOutput"], tensors } });
  const { embedDim: C, numHeads: H } = model.config;
  for (const [layer, query] of [
    [0, 3],
    [look.layers - 1, ids.length - 1],
  ] as const) {
    const heads = await Promise.all(
      Array.from({ length: H }, (_, head) => headAt(model, model.apply, ids, { layer, head, query })),
    );
    for (const { query: q, keys, scores, weights } of heads) {
      keys.forEach((key, s) => {
        const dot = key.reduce((sum, k, d) => sum + k * q[d]!, 0) / Math.sqrt(q.length);
        expect(dot).toBeCloseTo(scores[s]!, 3);
      });
      expect(weights.length).toBe(query + 1);
    }
    const attended = Array.from(
      tensors[`layers.${layer}.attentionOutput`]!.data.slice(query * C, (query + 1) * C),
      Number,
    );
    attended.forEach((number, c) => {
      const sum = heads.reduce((all, { writes }) => all + writes[c]!, 0);
      expect(sum).toBeCloseTo(number, 3);
    });
  }
});

test("a key-value head per query head changes nothing, a single one changes the predictions", async () => {
  const { numHeads, numKvHeads } = model.config;
  const with_ = (count: number) => {
    const other = withKvHeads(model, count);
    return { other, apply: decoder(other.config).apply };
  };
  const own = model.apply(model.params, idsOf(model, sentence), { last: 1 }).data;
  const many = with_(numHeads);
  const same = many.apply(many.other.params, idsOf(model, sentence), { last: 1 }).data;
  own.forEach((logit, i) => expect(same[i]).toBeCloseTo(Number(logit), 4));
  const one = with_(1);
  const other = one.apply(one.other.params, idsOf(model, sentence), { last: 1 }).data;
  expect(
    Math.max(...Array.from(own, (logit, i) => Math.abs(Number(logit) - Number(other[i])))),
  ).toBeGreaterThan(0.01);
  expect(withKvHeads(model, numKvHeads)).toBe(model);
});

test("an empty text gives one token, a long text its last tokens", () => {
  expect(idsOf(model, "").length).toBe(1);
  expect(idsOf(model, sentence.repeat(40)).length).toBe(mostTokens);
});

test("the initial head attends from the last words to the name they refer to", () => {
  const T = look.tokens.length;
  const lastRow = [...weightsOf(look, firstHead).subarray((T - 1) * T)];
  expect(look.tokens[lastRow.indexOf(Math.max(...lastRow))]).toBe(" queen");
});

test("a character outside of the vocabulary counts as bytes, shown in hexadecimal", async () => {
  const fox = await lookAt(model, model.apply, "a 🦊");
  expect(fox.bytePieces).toBeGreaterThan(0);
  const bytes = fox.tokens.flatMap((token) => /^<([0-9A-F ]+)>$/.exec(token)?.[1]?.split(" ") ?? []);
  expect(bytes.join(" ").endsWith("F0 9F A6 8A")).toBe(true);
  expect(look.bytePieces).toBe(0);
});
