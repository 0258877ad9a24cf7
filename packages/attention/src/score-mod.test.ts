import type { ScoreMod } from "@qkv/attention-contract";
import { randn, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { attention, attentionWeights, tracedAttention, type AttentionOptions } from "./attention.js";
import { alibi } from "./biases/alibi.js";
import { causal } from "./masks/causal.js";
import { plainAttention } from "./plain-attention.js";
import { scoreMod, scoreModFunction } from "./score-mod.js";

const x = randn([1, 2, 3, 4], { seed: 1 });
const doors: Readonly<Record<string, (options: AttentionOptions) => unknown>> = {
  attention: (options) => attention(x, x, x, options),
  attentionWeights: (options) => attentionWeights(x, x, options),
  tracedAttention: (options) => tracedAttention(x, x, x, options, ["weights"]),
  plainAttention: (options) => plainAttention(x, { key: [x], value: [x], positions: { start: 0 } }, options),
};
type Rule = ScoreMod["apply"];
const places = ["scoreMod", "weightMod", "bias"] as const;
const misuses: Readonly<Record<string, { rule: unknown; received: RegExp }>> = {
  "`>=` between symbols, as FlexAttention writes it": {
    rule: (s: number, at: { query: number; key: number }) => (at.query >= at.key ? s : -Infinity),
    received: /"at.query as a JavaScript number"/,
  },
  "`-`": { rule: (s: number) => s - 1, received: /"score as a JavaScript number"/ },
  "`Math.abs`": { rule: (s: number) => Math.abs(s), received: /"score as a JavaScript number"/ },
  "an index": {
    rule: (_: number, at: { head: number }) => [1, 2][at.head],
    received: /"at.head as a JavaScript text or index"/,
  },
  "a comparison before `? :`": {
    rule: ((s, at) => (at.query.greaterEqual(at.key) ? s : -Infinity)) satisfies Rule,
    received: /"score without at.query.greaterEqual\(at.key\)"/,
  },
  "a comparison before `&&`": {
    rule: ((s, at) => at.query.greaterEqual(at.key) && s) satisfies Rule,
    received: /"score without at.query.greaterEqual\(at.key\)"/,
  },
  "`!`": {
    rule: ((s, at) => (!at.query.less(at.key) ? s : -Infinity)) satisfies Rule,
    received: /"-Infinity without at.query.less\(at.key\)"/,
  },
  "`===`": {
    rule: (s: unknown, at: { query: unknown; key: unknown }) => (at.query === at.key ? s : -Infinity),
    received: /"-Infinity without at.key"/,
  },
  "a rule of a mask": {
    rule: ((_, at) => at.query.greaterEqual(at.key)) satisfies Rule,
    received: /"at.query.greaterEqual\(at.key\)", expected a score, and comparisons give 1 or 0/,
  },
  "no return": { rule: () => undefined, received: /is undefined, expected symbolic numbers/ },
  "a boolean": { rule: () => true, received: /is true, expected symbolic numbers/ },
  NaN: { rule: ((s) => s.mul(NaN)) satisfies Rule, received: /is NaN, expected symbolic numbers/ },
  "a promise": { rule: async () => 1, received: /is a promise .*, expected symbolic numbers/ },
};

test.each(Object.entries(misuses))(
  "%s in a rule is refused, and the error names the call that received it",
  (_, { rule, received }) => {
    for (const [fn, door] of Object.entries(doors)) {
      for (const option of places) {
        const call = () => door({ [option]: scoreMod(rule as Rule) });
        expect(call).toThrow(new RegExp(`^${fn}: \`${option}\` `));
        expect(call).toThrow(received);
        expect(call).toThrow(/\nFix: .*(where|methods)/);
        if (option !== "bias") expect(() => door({ [option]: rule })).toThrow(received);
      }
    }
  },
);

test("a bias that does not use the score is refused, since it would replace the score", () => {
  const distance = scoreMod((_, at) => at.key.sub(at.query));
  expect(() => attention(x, x, x, { bias: distance })).toThrow(
    /^attention: `bias` is "at.key.sub\(at.query\)", expected a rule that adds to the score.\nFix: return `score.add\(…\)`/,
  );
  // As a score mod it says that scores depend on places alone.
  expect(() => attention(x, x, x, { scoreMod: distance })).not.toThrow();
  expect(() => attention(x, x, x, { scoreMod: distance, bias: alibi(2) })).not.toThrow();
});

test("each of several rules is recorded separately, and errors name the rule", () => {
  const right = scoreMod((s) => s.mul(2));
  const wrong = scoreMod((s, at) => (at.key.less(1) ? s : s.add(1)));
  expect(() => attention(x, x, x, { scoreMod: right, bias: wrong, mask: causal() })).toThrow(
    /^attention: `bias`/,
  );
  expect(() => attention(x, x, x, { scoreMod: wrong, bias: alibi(2) })).toThrow(/^attention: `scoreMod`/);
});

test("a dense bias with one number, with a row, or with all pairs is added", () => {
  const expected = (bias: Tensor) => attentionWeights(x, x, { bias }).data;
  for (const shape of [[], [1, 1, 1, 1], [3], [2, 1, 3], [3, 1], [1, 2, 3, 3]]) {
    const bias = randn(shape, { seed: 2 });
    const doubled = attentionWeights(x, x, { scoreMod: (s) => s.mul(1), bias });
    expect(doubled.data).toEqual(expected(bias));
  }
});

test("a function that does not return a number is refused: undefined would become NaN, and true 1", () => {
  for (const f of [() => undefined, (_s: number, _b: number, _h: number, q: number, k: number) => q >= k]) {
    const call = () => attention(x, x, x, { scoreMod: scoreModFunction(f as never) });
    expect(call).toThrow(
      /^scoreModFunction: `f` is (undefined|true), expected a function that returns a number/,
    );
  }
  expect(() => scoreModFunction(undefined as never)).toThrow(/^scoreModFunction: `f` is undefined/);
  expect(() => scoreMod((s) => s, 5 as never)).toThrow(/^scoreMod: `name` is 5, expected a string/);
  expect(() => scoreMod(tensor([1]) as never)).toThrow(/^scoreMod: `apply` is a float32 tensor/);
});
