// Template of a mixer, with a step to replace: linear attention with a write gate. The step appears once in the source,
// the test and the page. The engine provides chunks, segments, documents, padding, gradients and the implied map, and
// every-mixer.test.ts tests them through the entry in the catalogue.

export const code = ({ name, words }) => `import { mul } from "@qkv/tensor";
import { defineMixer, queryKeyValue, type Mixer } from "./mixer.js";

/**
 * Linear attention that writes to the part \`gate\`: \`S ← S + gate k vᵀ\`, \`o = scale · Sᵀ q\` (${words}).
 *
 * \`gate\` is \`[B, H, T]\`, from 0 to 1. Costs 4 · K · V operations per token and head.
 *
 * @example
 * \`\`\`ts
 * import { ones, tensor } from "@qkv/tensor";
 * import { mix, ${name} } from "@qkv/attention";
 *
 * const one = ones([1, 1, 2, 1]); // [B, H, T, D]
 * const gate = tensor([[[1, 0.5]]]); // [B, H, T]
 * mix(${name}(), { query: one, key: one, value: one, gate }).output.toNested(); // => [[[[1], [1.5]]]]
 * \`\`\`
 */
export function ${name}(): Mixer<"query" | "key" | "value" | "gate"> {
  return defineMixer({
    name: "${name}()",
    inputs: { ...queryKeyValue, gate: "B H T" },
    mix: ({ inputs: { query, key, value, gate }, state, scan }) =>
      // Optional in a step: \`decay\`, logarithms [B, H, T, 1 or K], and \`erase\`, what is taken from the value.
      scan({ query, key, value: mul(value, gate) }, state),
  });
}
`;

export const test = ({
  name,
  kebab,
}) => `import { expandDims, mul, randn, sigmoid, tensor, zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { linearAttention } from "./linear-attention.js";
import { mix } from "./mix.js";
import { ${name} } from "./${kebab}.js";

// Chunks, segments, documents, padding, gradients and the implied map are tested with all mixers of the catalogue
// (every-mixer.test.ts).

test("equals linear attention on gated values", () => {
  const x = randn([1, 2, 5, 3], { seed: 1 });
  const gate = sigmoid(randn([1, 2, 5], { seed: 2 }));
  const value = mul(x, expandDims(gate, 3));
  const gated = mix(${name}(), { query: x, key: x, value: x, gate });
  expect(gated.output.data).toEqual(mix(linearAttention(), { query: x, key: x, value }).output.data);
});

test("golden: three tokens, by hand", () => {
  const x = tensor([[[[1], [2], [3]]]]);
  const gate = tensor([[[1, 0, 0.5]]]);
  // States 1, 1 and 1 + 0.5 · 3 · 3 = 5.5, times the queries.
  expect([...mix(${name}(), { query: x, key: x, value: x, gate }).output.data]).toEqual([1, 2, 16.5]);
});

test("a gate of another shape is refused", () => {
  const x = zeros([1, 2, 5, 3]);
  const gate = zeros([1, 2, 4]);
  expect(() => mix(${name}(), { query: x, key: x, value: x, gate })).toThrow(
    /mix: \`gate\` has shape \\[1, 2, 4\\], expected \\[1, H, 5\\]/,
  );
});
`;

export const example = ({ name }) => `import { impliedWeights, mix, ${name} } from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import { full, ones } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const rate = slider("gate", { min: 0.1, max: 1, step: 0.1, value: 0.5 });
const one = ones([1, 1, 12, 1]); // [B, H, T, D]: all keys match equally
const inputs = { query: one, key: one, value: one, gate: full([1, 1, 12], rate) };
const { output, state } = mix(${name}(), inputs);
show(attentionMap(impliedWeights(${name}(), inputs))); // [B, H, T, T]
print("numbers in the state:", state.data.length);

// The claim of the page, checked whenever it runs.
const grows = output.data.every((y, i) => y > (output.data[i - 1] ?? 0));
check("each output is larger than the one before", grows);
`;

export const changes = () => `import type { Change } from "../src/live/change";

export default [
  {
    label: "Close the gate",
    edits: [{ find: "full([1, 1, 12], rate)", replace: "full([1, 1, 12], 0 * rate)" }],
    says: "Nothing is written, so every output is 0.",
    outcome: ({ checks }) => checks["each output is larger than the one before"] === false,
  },
] satisfies readonly Change[];
`;

export const page = ({ name, kebab, title }) => `---
title: ${title}
hide_table_of_contents: true
description: Linear attention that writes to a part of each value.
---

# How much of a token is written?

The state takes the part \`gate\` of each value: $S \\leftarrow S + g\\,k v^\\top$.

<Live example="${kebab}" />

**What to notice.** The weights that the outputs imply are the gates.

**Cost.** 4 · K · V operations per token and head, and a state of K · V numbers.

**Limitations.** Nothing that was written is ever removed.

**Source.** Not published.

**API.** [\`${name}\`](/api/@qkv/attention/#${name.toLowerCase()})
`;

export const entry = ({ name, kebab, title }) => `{
  name: "${kebab}",
  kind: "mixer",
  exports: ["${name}"],
  title: "${title}",
  paper: { title: "Not published", url: "https://github.com/qkv-js/qkv" },
  year: ${new Date().getFullYear()},
  formula: "S ← S + g k vᵀ",
  tier: 3,
  costKind: "state",
  kvEffect: state,
},
`;

export const changeset = ({ name }) => `---
"@qkv/attention": minor
---

Added \`${name}()\`, a mixer for \`mix\`: linear attention that writes to the part \`gate\`.
`;

/** The files that test it, as arguments of vitest. */
export const tests = ({ kebab }) =>
  `packages/attention/src/mixers/${kebab}.test.ts packages/attention/src/mixers/every-mixer.test.ts`;
