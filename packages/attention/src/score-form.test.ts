import { matmul, transpose, zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { plainAttention } from "./plain-attention.js";
import type { ScoreForm } from "./score-form.js";
import { l2Distance } from "./scores/l2-distance.js";
import { sigmoidWeights } from "./scores/sigmoid-weights.js";

const x = zeros([1, 1, 2, 4]);

const dotProducts: ScoreForm = {
  name: "dotProducts",
  dots: ({ query, key }) => matmul(query, transpose(key)),
};

test("two forms of the same stage are refused", () => {
  expect(() => plainAttention(x, x, x, { forms: [l2Distance(), dotProducts] })).toThrow(
    /`forms` is "l2Distance\(\), dotProducts", expected one form that replaces the dot products/,
  );
  expect(() => plainAttention(x, x, x, { forms: [sigmoidWeights(), sigmoidWeights()] })).toThrow(
    /expected one form that replaces softmax/,
  );
});

test("values that are not forms, and a form that is not in a list, are refused", () => {
  expect(() => plainAttention(x, x, x, { forms: [sigmoidWeights as never] })).toThrow(
    /plainAttention: `forms` is the function sigmoidWeights, expected score forms/,
  );
  expect(() => plainAttention(x, x, x, { forms: sigmoidWeights() as never })).toThrow(
    /a list of score forms/,
  );
});

test("options of attention are checked as attention checks them", () => {
  expect(() => plainAttention(x, x, x, null as never)).toThrow(/plainAttention: `options` is null/);
  expect(() => plainAttention(x, x, x, { masks: 1 } as never)).toThrow(/plainAttention: `masks` is 1/);
});
