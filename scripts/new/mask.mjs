// Template of a mask, with a rule to replace: each query sees itself and each `size`-th key before it. The rule appears
// once in the source, the test and the page; all else works for any mask with one number as its argument.

export const code = ({ name, words }) => `import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

/**
 * Lets each query see itself and each \`size\`-th key before it (${words}).
 *
 * @param size - Unit: tokens. Whole, 1 or more.
 * @throws {ArgumentError} If \`size\` is not an integer of at least 1.
 *
 * @example
 * \`\`\`ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, ${name} } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 3, 2]); // [B, H, T, D]: all keys match equally
 * [...attentionWeights(x, x, { mask: ${name}(2) }).data.slice(-3)]; // => [0.5, 0, 0.5]
 * \`\`\`
 */
export function ${name}(size: number): Mask {
  checks("${name}").whole({ size }, { min: 1, unit: "tokens", fix: "count from the query back: 1 sees every key." });
  return defineMask({
    name: \`${name}(\${size})\`,
    sees: (query, key) => key <= query && (query - key) % size === 0,
    // Optional: the class of a whole tile of queries and keys, so that devices skip those with nothing to see.
    tile: (query, key) => (key.first > query.last ? "none" : "some"),
  });
}
`;

export const test = ({ name, kebab }) => `import { randn } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attentionWeights } from "../attention.js";
import { ${name} } from "./${kebab}.js";

// Tiles, and what and(), or() and not() make of it, are tested with all masks of the catalogue (every-mask.test.ts).

const size = fc.integer({ min: 1, max: 6 });

test("property: a weight is positive exactly where the rule says", () => {
  fc.assert(
    fc.property(size, size, fc.nat(1000), (T, size, seed) => {
      const sees = (query: number, key: number) => key <= query && Number.isInteger((query - key) / size);
      const x = randn([1, 1, T, 2], { seed });
      attentionWeights(x, x, { mask: ${name}(size) }).data.forEach((weight, i) => {
        expect(weight > 0).toBe(sees(Math.floor(i / T), i % T));
      });
    }),
  );
});

test("golden: three tokens, by hand", () => {
  const x = randn([1, 1, 3, 2], { seed: 1 });
  const { data } = attentionWeights(x, x, { mask: ${name}(2) });
  expect([...data].map((weight) => (weight > 0 ? 1 : 0)).join("")).toBe("100" + "010" + "101");
});

test("a size of 0 is refused, with the fix", () => {
  expect(() => ${name}(0)).toThrow(/${name}: \`size\` is 0, expected an integer.*\\nFix: count from the query/);
});
`;

export const example = ({ name }) => `import { attentionWeights, ${name} } from "@qkv/attention";
import { check, show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const size = slider("size, in tokens", { min: 1, max: 11, value: 2 });
const x = randn([1, 1, 12, 8], { seed: 1 }); // [B, H, T, D]
const weights = attentionWeights(x, x, { mask: ${name}(size) }); // [B, H, T, S]
show(attentionMap(weights));

// The claim of the page, checked whenever it runs.
const rule = Array.from(weights.data, (weight, i) => {
  const [query, key] = [Math.floor(i / 12), i % 12];
  return weight > 0 === (key <= query && (query - key) % size === 0);
});
check("each query sees every key of the rule, and no other", !rule.includes(false));
`;

export const changes = ({ name }) => `import type { Change } from "../src/live/change";

export default [
  {
    label: "Combine it with a window of 4",
    edits: [
      { find: "import { attentionWeights, ${name} }", replace: "import { and, attentionWeights, ${name}, slidingWindow }" },
      { find: "{ mask: ${name}(size) }", replace: "{ mask: and(${name}(size), slidingWindow(4)) }" },
    ],
    says: "Only the diagonals of the last four tokens are left.",
    outcome: ({ readings }) => readings.includes("query 11, key 7: masked"),
  },
] satisfies readonly Change[];
`;

export const page = ({ name, kebab, title }) => `---
title: ${title}
hide_table_of_contents: true
description: A mask under which a query sees itself and each size-th key before it.
---

# Which keys does a query see?

Each query sees itself and each \`size\`-th key before it.

<Live example="${kebab}" />

**What to notice.** The visible cells lie on parallel diagonals, \`size\` apart.

**Cost.** \`T / size\` dot products for query \`T\`, if the device skips masked tiles.

**Limitations.** The keys in between are not visible in this layer.

**Source.** Not published.

**API.** [\`${name}\`](/api/@qkv/attention/#${name.toLowerCase()})
`;

export const entry = ({ name, kebab, title }) => `{
  name: "${kebab}",
  kind: "mask",
  exports: ["${name}"],
  title: "${title}",
  paper: { title: "Not published", url: "https://github.com/qkv-js/qkv" },
  year: ${new Date().getFullYear()},
  formula: "j = i, i − size, i − 2 size, …",
  tier: 3,
  costKind: "blocks",
},
`;

export const changeset = ({ name }) => `---
"@qkv/attention": minor
---

Added \`${name}(size)\`, a mask for \`attention\` under which a query sees itself and each \`size\`-th key before it.
`;

/** The files that test it, as arguments of vitest. */
export const tests = ({ kebab }) =>
  `packages/attention/src/masks/${kebab}.test.ts packages/attention/src/masks/every-mask.test.ts`;
