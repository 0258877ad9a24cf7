import { softmax, slice } from "@qkv/tensor";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import { decoder } from "@qkv/transformer";
import { expect, test } from "vitest";
import { logitLens } from "./index.js";
import { inFloat64 } from "./lens-model.js";
import { logitLensTokens } from "./logit-lens-tokens.js";

const { config, params, apply } = inFloat64(randomDecoder("llama", { vocabSize: 13 } as never));
const model = { config, params, apply };
const ids = [3, 1, 4, 1, 5];

test("rows are those of the logit lens: top tokens, their probabilities, and the rank of the final one", async () => {
  const lens = await logitLensTokens(model, ids, { topK: 3 });
  const logits = logitLens(decoder(model.config), model.params, ids);
  expect(lens.names).toHaveLength(logits.length);
  const final = ids.map((_, t) => {
    const row = Array.from(slice(logits.at(-1)!, 1, t, t + 1).data);
    return row.indexOf(Math.max(...row));
  });
  expect(lens.final.tokens).toEqual(final.map(String));
  logits.forEach((x, row) => {
    const all = softmax(x).data;
    ids.forEach((_, t) => {
      const own = Array.from(all.slice(t * 13, (t + 1) * 13));
      const order = own.map((_, id) => id).sort((a, b) => own[b]! - own[a]!);
      const at = row * ids.length + t;
      expect(lens.topTokens[row]![t]).toEqual(order.slice(0, 3).map(String));
      Array.from({ length: 3 }, (_, k) =>
        expect(lens.probabilities.data[at * 3 + k]).toBeCloseTo(own[order[k]!]!, 12),
      );
      expect(lens.final.ranks.data[at]).toBe(order.indexOf(final[t]!) + 1);
      expect(lens.final.probabilities.data[at]).toBeCloseTo(own[final[t]!]!, 12);
    });
  });
  expect(lens.tokens).toEqual(ids.map(String));
});

test("tokens are texts where there is a tokenizer", async () => {
  const tokenizer = { decode: ([id]: readonly number[]) => `<${id}>` } as never;
  const lens = await logitLensTokens({ ...model, tokenizer }, ids, { topK: 1 });
  expect(lens.tokens).toEqual(["<3>", "<1>", "<4>", "<1>", "<5>"]);
  expect(lens.topTokens[0]![0]![0]).toMatch(/^<\d+>$/);
});

test("more tokens than the vocabulary has are refused", async () => {
  await expect(logitLensTokens(model, ids, { topK: 14 })).rejects.toThrow(
    /logitLensTokens: `topK` is 14, expected an integer number of tokens, 1 or more and at most 13/,
  );
});
