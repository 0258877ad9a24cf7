// Template of a form of scores, with a rule to replace: scores more than `margin` below the largest of their row become
// −∞. The rule appears once in the source, the test and the page; all else works for any form that changes whole rows
// of scores.

export const code = ({ name, words }) => `import { checks } from "@qkv/core";
import { greaterEqual, max, sub, where } from "@qkv/tensor";
import type { ScoreForm } from "../score-form.js";

/**
 * Keeps the scores of a row that are at most \`margin\` below its largest (${words}); the others get no weight.
 *
 * @param margin - Unit: that of scores. 0 keeps the largest alone.
 * @returns A form for {@link plainAttention}.
 * @throws {ArgumentError} If \`margin\` is not a finite number of at least 0.
 *
 * @example
 * \`\`\`ts
 * import { plainAttention, ${name} } from "@qkv/attention";
 * import { tensor } from "@qkv/tensor";
 *
 * const query = tensor([[[[1]]]]); // [B, H, T, D]
 * const key = tensor([[[[0], [3], [3]]]]); // scores 0, 3 and 3
 * plainAttention(query, key, key, { forms: [${name}(1)] }).weights.toNested(); // => [[[[0, 0.5, 0.5]]]]
 * \`\`\`
 */
export function ${name}(margin: number): ScoreForm {
  checks("${name}").finite({ margin }, { min: 0, fix: "give the largest distance from the best score of a row." });
  return {
    name: \`${name}(\${margin})\`,
    // The other stages: \`dots\` replaces scale · Q Kᵀ, \`normalize\` replaces softmax, \`weights\` changes what it gives.
    scores(scores, { visible }) {
      const best = max(where(visible, scores, -Infinity), { axis: -1, keepDims: true });
      return where(greaterEqual(scores, sub(best, margin)), scores, -Infinity);
    },
  };
}
`;

export const test = ({
  name,
  kebab,
}) => `import { checkGradient, mul, randn, sum, tensor, zeros } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attention } from "../attention.js";
import { causal } from "../masks/causal.js";
import { plainAttention } from "../plain-attention.js";
import { ${name} } from "./${kebab}.js";

const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });

test("property: a visible key has a weight exactly where the rule says", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 3 }), fc.nat(1e6), (T, margin, seed) => {
      const x = make([1, 2, T, 3], seed);
      const { scores } = plainAttention(x, x, x, { mask: causal() });
      const { weights } = plainAttention(x, x, x, { mask: causal(), forms: [${name}(margin)] });
      weights.data.forEach((weight, i) => {
        const [row, key] = [Math.floor(i / T), i % T];
        const query = row % T;
        const best = Math.max(...scores.data.slice(row * T, row * T + query + 1));
        expect(weight > 0).toBe(key <= query && scores.data[i]! >= best - margin);
      });
    }),
  );
});

test("golden: a margin beyond every distance changes nothing", () => {
  const x = make([1, 2, 5, 3], 1);
  const { output } = plainAttention(x, x, x, { mask: causal(), forms: [${name}(1e9)] });
  expect(output).toBeAllclose(attention(x, x, x, { mask: causal() }), { rtol: 1e-12 });
});

test("golden: three scores, by hand", () => {
  const key = tensor([[[[0], [2], [3]]]]);
  const forms = [${name}(1.5)];
  const { weights } = plainAttention(tensor([[[[1]]]]), key, zeros([1, 1, 3, 1]), { forms });
  expect(weights).toBeAllclose(tensor([[[[0, 1 / (1 + Math.E), Math.E / (1 + Math.E)]]]]), { rtol: 1e-6 });
});

test("gradient: of queries, keys and values", () => {
  const inputs = { q: make([1, 2, 3, 2], 1), k: make([1, 2, 3, 2], 2), v: make([1, 2, 3, 2], 3) };
  const dy = make([1, 2, 3, 2], 4);
  checkGradient(
    ({ q, k, v }) => sum(mul(plainAttention(q, k, v, { mask: causal(), forms: [${name}(0.7)] }).output, dy)),
    inputs,
  );
});

test("a margin below 0 is refused, with the fix", () => {
  expect(() => ${name}(-1)).toThrow(/${name}: \`margin\` is -1, expected .*\\nFix: give the largest distance/);
});
`;

export const example = ({ name }) => `import { causal, plainAttention, ${name} } from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const margin = slider("margin", { min: 0, max: 4, step: 0.25, value: 1 });
const x = randn([1, 1, 12, 8], { seed: 1 }); // [B, H, T, D]
const options = { mask: causal(), forms: [${name}(margin)] };
const { weights } = plainAttention(x, x, x, options); // [B, H, T, S]
show(attentionMap(weights));
const last = [...weights.data.slice(-12)];
print("keys of the last query with weight:", last.filter((weight) => weight > 0).length);

// The claim of the page, checked whenever it runs.
const least = Math.max(...last) * Math.exp(-margin) * 0.999;
check("no weight is below exp(−margin) of the largest", last.every((weight) => weight === 0 || weight >= least));
`;

export const changes = ({ name }) => `import type { Change } from "../src/live/change";

export default [
  {
    label: "Leave the form out",
    edits: [{ find: "forms: [${name}(margin)]", replace: "forms: []" }],
    says: "Softmax gives every key a weight, however small.",
    outcome: ({ checks }) => checks["no weight is below exp(−margin) of the largest"] === false,
  },
] satisfies readonly Change[];
`;

export const page = ({ name, kebab, title }) => `---
title: ${title}
hide_table_of_contents: true
description: A form of scores that drops what is far below the best score of its row.
---

# Which scores are worth a weight?

A query keeps the keys whose scores are at most \`margin\` below its best; the others get weight 0.

<Live example="${kebab}" />

**What to notice.** A query with one clear favourite keeps few keys, one without keeps many.

**Cost.** Every score is in memory, $B \\cdot H \\cdot T \\cdot S$ numbers, and no work is saved.

**Limitations.** \`plainAttention\` alone takes forms.

**Source.** Not published.

**API.** [\`${name}\`](/api/@qkv/attention/#${name.toLowerCase()})
`;

export const entry = ({ name, kebab, title }) => `{
  name: "${kebab}",
  kind: "score",
  exports: ["${name}"],
  title: "${title}",
  paper: { title: "Not published", url: "https://github.com/qkv-js/qkv" },
  year: ${new Date().getFullYear()},
  formula: "s where s ≥ max s − margin, else −∞",
  tier: 3,
  costKind: "full",
},
`;

export const changeset = ({ name }) => `---
"@qkv/attention": minor
---

Added \`${name}(margin)\`, a form for \`plainAttention\` that keeps the scores near the largest of their row.
`;

/** The files that test it, as arguments of vitest. */
export const tests = ({ kebab }) => `packages/attention/src/scores/${kebab}.test.ts`;
