// A new mask: each query sees itself and the key a given distance before it.

export const code = ({ name, words }) => `import { checks } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";

/**
 * Lets each query see itself and the key \`distance\` tokens before it (${words}).
 *
 * Costs two dot products per query, once tiles that hold neither key are skipped.
 *
 * @param distance - Unit: tokens. Whole, 1 or more.
 * @throws {ArgumentError} If \`distance\` is not a whole number of at least 1.
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
export function ${name}(distance: number): Mask {
  const fix = "give how many tokens before the query the other key lies.";
  checks("${name}").whole({ distance }, { min: 1, unit: "tokens", fix });
  return defineMask({
    name: \`${name}(\${distance})\`,
    sees: (query, key) => key === query || key === query - distance,
    // A tile that holds neither the diagonal nor the one below it is never read.
    tile: (query, key) => {
      const holds = (before: number) => key.first <= query.last - before && key.last >= query.first - before;
      return holds(0) || holds(distance) ? "some" : "none";
    },
  });
}
`;

export const test = ({ name }) => `import { randn } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { attentionWeights, ${name} } from "../index.js";

const size = fc.integer({ min: 1, max: 6 });

test("property: a weight is positive exactly at the query and \`distance\` before it", () => {
  fc.assert(
    fc.property(size, size, fc.nat(1000), (T, distance, seed) => {
      const x = randn([1, 1, T, 2], { seed });
      attentionWeights(x, x, { mask: ${name}(distance) }).data.forEach((weight, i) => {
        const before = Math.floor(i / T) - (i % T);
        expect(weight > 0).toBe(before === 0 || before === distance);
      });
    }),
  );
});

test("property: a tile that is skipped holds no key that is seen", () => {
  const range = fc.tuple(fc.nat(9), fc.nat(3)).map(([first, more]) => ({ first, last: first + more }));
  fc.assert(
    fc.property(size, range, range, (distance, query, key) => {
      const mask = ${name}(distance).bind({ queryLength: 16, keyLength: 16 });
      let seen = false;
      for (let q = query.first; q <= query.last; q++) {
        for (let k = key.first; k <= key.last; k++) seen ||= mask.sees(q, k, 0, 0);
      }
      expect(mask.tile(query, key, 0, 0)).toBe(seen ? "some" : "none");
    }),
  );
});

test("golden: three tokens, two apart", () => {
  const x = randn([1, 1, 3, 2], { seed: 1 });
  const { data } = attentionWeights(x, x, { mask: ${name}(2) });
  expect([...data].map((weight) => (weight > 0 ? 1 : 0)).join("")).toBe("100" + "010" + "101");
});

test("a distance of nothing is refused, with the fix", () => {
  expect(() => ${name}(0)).toThrow(/${name}: \`distance\` is 0, expected a whole number.*\\nFix: give how many tokens/);
});
`;

export const example = ({ name }) => `import { attentionWeights, ${name} } from "@qkv/attention";
import { show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const distance = slider("distance, in tokens", { min: 1, max: 11, value: 4 });
const x = randn([1, 1, 12, 8], { seed: 1 }); // [B, H, T, D]
const weights = attentionWeights(x, x, { mask: ${name}(distance) }); // [B, H, T, S]
show(attentionMap(weights));
for (const [i, weight] of weights.data.entries()) {
  const before = Math.floor(i / 12) - (i % 12);
  if (weight > 0 !== (before === 0 || before === distance)) throw new Error("another key is seen");
}
`;

export const page = ({ name, kebab, title }) => `---
title: ${title}
hide_table_of_contents: true
description: A mask under which a query sees itself and one key before it.
---

# What if a query saw one earlier key alone?

Each token sees itself and the token \`distance\` places before it.

<Live example="${kebab}" />

**What to notice.** Two diagonals are lit. The first tokens have nothing so far before them and see themselves alone.

**Cost.** Two dot products per query. **Where it fails.** Whatever lies between is not heard of in one layer.

**Look up.** [\`${name}\`](/api/@qkv/attention/#${name.toLowerCase()})
`;

export const entry = ({ name, kebab, title }) => `{
  name: "${kebab}",
  exports: ["${name}"],
  title: "${title}",
  paper: { title: "Not published", url: "https://github.com/qkv-js/qkv" },
  year: ${new Date().getFullYear()},
  formula: "j = i or j = i − d",
  tier: 3,
  costKind: "blocks",
  kvEffect: "none",
  models: [],
  page: "${kebab}",
},
`;

export const changeset = ({ name }) => `---
"@qkv/attention": minor
---

Added \`${name}(distance)\`, a mask for \`attention\` under which a query sees itself and the key \`distance\` tokens before it.
`;
