// A new bias: a number of each head, times the distance, is taken from the score.

export const code = ({ name, words }) => `import { checks, ShapeError } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import { lookup } from "@qkv/attention-contract";
import { scoreMod, type ScoreMod } from "../score-mod.js";
import { checkTable } from "./check-table.js";

/**
 * Takes from each score the distance between query and key, times a slope of the head (${words}).
 *
 * Costs three operations per score, in the pass that computes it. The slopes can be learned: gradients reach them.
 *
 * @param slopes - \`[H]\`
 * @throws {ShapeError} If \`slopes\` has not one axis.
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
    const fix = "give one slope for each head.";
    checks("${name}").refuse({ argument: "slopes", received: shape, expected: "[H]", fix }, ShapeError);
  }
  return scoreMod(
    (score, at) => score.sub(at.query.sub(at.key).abs().mul(lookup(slopes, at.head))),
    \`${name}([\${shape[0]}])\`,
  );
}
`;

export const test = ({
  name,
}) => `import { checkGradient, mul, randn, sum, tensor, zeros } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention, tracedAttention, ${name} } from "../index.js";

test("property: a score falls by the slope with each step of distance", () => {
  const slope = fc.double({ min: -2, max: 2, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), slope, slope, (T, first, second) => {
      const x = zeros([1, 2, T, 2], { dtype: "float64" });
      const bias = ${name}(tensor([first, second], { dtype: "float64" }));
      tracedAttention(x, x, x, { bias }, ["scores"]).scores.data.forEach((score, i) => {
        const distance = Math.abs((Math.floor(i / T) % T) - (i % T));
        expect(score).toBeCloseTo(-distance * (i < T * T ? first : second), 12);
      });
    }),
  );
});

test("golden: slopes of 0 change nothing", () => {
  const x = randn([1, 2, 3, 4], { seed: 1 });
  expect(attention(x, x, x, { bias: ${name}(zeros([2])) }).data).toEqual(attention(x, x, x).data);
});

test("gradient: towards the slopes and what they are added to", () => {
  const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
  const given = { x: make([1, 2, 3, 2], 1), slopes: make([2], 2) };
  const dy = make([1, 2, 3, 2], 3);
  checkGradient(({ x, slopes }) => sum(mul(attention(x, x, x, { bias: ${name}(slopes) }), dy)), given);
});

test("slopes of another shape are refused, with the fix", () => {
  expect(() => ${name}(zeros([2, 2]))).toThrow(
    /${name}: \`slopes\` has shape \\[2, 2\\], expected \\[H\\].\\nFix: give one slope/,
  );
});
`;

export const example = ({ name }) => `import { attentionWeights, ${name} } from "@qkv/attention";
import { show, slider } from "@qkv/page";
import { tensor, zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const slope = slider("slope", { min: 0, max: 2, step: 0.25, value: 0.5 });
const x = zeros([1, 1, 12, 8]); // [B, H, T, D]: all keys match equally
const bias = ${name}(tensor([slope]));
const weights = attentionWeights(x, x, { bias }); // [B, H, T, S]
show(attentionMap(weights));
if ((weights.data[0] ?? 0) < (weights.data[11] ?? 1)) throw new Error("the farther key weighs more");
`;

export const page = ({ name, kebab, title }) => `---
title: ${title}
hide_table_of_contents: true
description: A bias that takes from each score the distance times a slope.
---

# What if far keys counted less?

Each score loses the distance between query and key, times a slope of the head.

<Live example="${kebab}" />

**What to notice.** All keys match equally, so the picture is the bias alone. With a slope of 0 every row is even.

**Cost.** Three operations per score. **Where it fails.** A fact said far back is never the loudest.

**Look up.** [\`${name}\`](/api/@qkv/attention/#${name.toLowerCase()})
`;

export const entry = ({ name, kebab, title }) => `{
  name: "${kebab}",
  exports: ["${name}"],
  title: "${title}",
  paper: { title: "Not published", url: "https://github.com/qkv-js/qkv" },
  year: ${new Date().getFullYear()},
  formula: "s − m_h |i − j|",
  tier: 3,
  costKind: "pair",
  kvEffect: "none",
  models: [],
  page: "${kebab}",
},
`;

export const changeset = ({ name }) => `---
"@qkv/attention": minor
---

Added \`${name}(slopes)\`, a bias for \`attention\` that takes from each score the distance times a slope of the head.
`;
