// Template of a bias, with a rule to replace: subtracts `slopes[h] · |i − j|` from each score. The rule appears once in
// the source, the test and the page; all else works for any bias with one learned number per head.

export const code = ({ name, words }) => `import { checks, ShapeError } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import { lookup, type ScoreMod } from "@qkv/attention-contract";
import { scoreMod } from "../score-mod.js";
import { checkTable } from "./check-table.js";

/**
 * Subtracts \`slopes[h] · |i − j|\` from each score (${words}). The slopes can be learned: gradients flow to them.
 *
 * @param slopes - \`[H]\`, one for each query head. A call with another number of heads is refused.
 * @throws {ShapeError} If \`slopes\` does not have exactly one axis.
 *
 * @example
 * \`\`\`ts
 * import { tensor, zeros } from "@qkv/tensor";
 * import { tracedAttention, ${name} } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 2, 4]); // [B, H, T, D]: all keys match equally
 * const { scores } = tracedAttention(x, x, x, { bias: ${name}(tensor([0.5])) }, ["scores"]);
 * scores.toNested(); // => [[[[0, -0.5], [-0.5, 0]]]]
 * \`\`\`
 */
export function ${name}(slopes: Tensor): ScoreMod {
  const shape = checkTable("${name}", "slopes", slopes);
  if (shape.length !== 1 || shape[0] === 0) {
    const fix = "give one slope for each query head.";
    checks("${name}").refuse({ argument: "slopes", received: shape, expected: "[H]", fix }, ShapeError);
  }
  const numHeads = shape[0]!;
  return scoreMod(
    (score, at) => score.sub(at.query.sub(at.key).abs().mul(lookup(slopes, at.head))),
    \`${name}([\${numHeads}])\`,
    numHeads,
  );
}
`;

export const test = ({
  name,
  kebab,
}) => `import { checkGradient, mul, randn, sum, tensor, zeros } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention, tracedAttention } from "../attention.js";
import { ${name} } from "./${kebab}.js";

test("property: each score changes by the rule", () => {
  const slope = fc.double({ min: -2, max: 2, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), slope, slope, (T, first, second) => {
      const rule = (head: number, query: number, key: number) => -[first, second][head]! * Math.abs(query - key);
      const x = zeros([1, 2, T, 2], { dtype: "float64" });
      const bias = ${name}(tensor([first, second], { dtype: "float64" }));
      tracedAttention(x, x, x, { bias }, ["scores"]).scores.data.forEach((score, i) => {
        const [head, query, key] = [Math.floor(i / (T * T)), Math.floor(i / T) % T, i % T];
        expect(score).toBeCloseTo(rule(head, query, key), 12);
      });
    }),
  );
});

test("golden: slopes of 0 change nothing", () => {
  const x = randn([1, 2, 3, 4], { seed: 1 });
  expect(attention(x, x, x, { bias: ${name}(zeros([2])) }).data).toEqual(attention(x, x, x).data);
});

test("gradient: of the slopes, and of queries, keys and values", () => {
  const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
  const inputs = { x: make([1, 2, 3, 2], 1), slopes: make([2], 2) };
  const dy = make([1, 2, 3, 2], 3);
  checkGradient(({ x, slopes }) => sum(mul(attention(x, x, x, { bias: ${name}(slopes) }), dy)), inputs);
});

test("slopes of another shape are refused, with the fix", () => {
  expect(() => ${name}(zeros([2, 2]))).toThrow(
    /${name}: \`slopes\` has shape \\[2, 2\\], expected \\[H\\].\\nFix: give one slope/,
  );
});

test("two slopes with four heads are refused", () => {
  const x = zeros([1, 4, 3, 2]);
  expect(() => attention(x, x, x, { bias: ${name}(zeros([2])) })).toThrow(
    /\`bias\` is "${name}\\(\\[2\\]\\)", expected numbers for numHeads = 4/,
  );
});
`;

export const example = ({ name }) => `import { attentionWeights, ${name} } from "@qkv/attention";
import { check, show, slider } from "@qkv/page";
import { tensor, zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const slope = slider("slope", { min: 0, max: 2, step: 0.25, value: 0.5 });
const x = zeros([1, 1, 12, 8]); // [B, H, T, D]: all keys match equally
const bias = ${name}(tensor([slope]));
const weights = attentionWeights(x, x, { bias }); // [B, H, T, S]
show(attentionMap(weights));

// The claim of the page, checked whenever it runs.
check("no farther key has the larger weight", (weights.data[0] ?? 0) >= (weights.data[11] ?? 1));
`;

export const changes = () => `import type { Change } from "../src/live/change";

export default [
  {
    label: "Use a negative slope",
    edits: [{ find: "tensor([slope])", replace: "tensor([-slope])" }],
    says: "Now the farthest keys have the largest weights.",
    outcome: ({ checks }) => checks["no farther key has the larger weight"] === false,
  },
] satisfies readonly Change[];
`;

export const page = ({ name, kebab, title }) => `---
title: ${title}
hide_table_of_contents: true
description: A bias with one learned slope for each head, times the distance between query and key.
---

# Which keys should score higher?

The bias subtracts \`slopes[h] · |i − j|\` from each score.

<Live example="${kebab}" />

**What to notice.** All keys match equally, so the picture shows the bias alone. With a slope of 0 all weights are equal.

**Cost.** Three operations per score.

**Limitations.** A distant key needs a much higher score than a near one to get the same weight.

**Source.** Not published.

**API.** [\`${name}\`](/api/@qkv/attention/#${name.toLowerCase()})
`;

export const entry = ({ name, kebab, title }) => `{
  name: "${kebab}",
  kind: "bias",
  exports: ["${name}"],
  title: "${title}",
  paper: { title: "Not published", url: "https://github.com/qkv-js/qkv" },
  year: ${new Date().getFullYear()},
  formula: "s − m_h |i − j|",
  tier: 3,
  costKind: "pair",
},
`;

export const changeset = ({ name }) => `---
"@qkv/attention": minor
---

Added \`${name}(slopes)\`, a bias for \`attention\`: a slope for each head, times the distance between query and key.
`;

/** The files that test it, as arguments of vitest. */
export const tests = ({ kebab }) => `packages/attention/src/biases/${kebab}.test.ts`;
