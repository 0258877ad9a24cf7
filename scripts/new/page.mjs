// Template of a lesson: a question, an example that runs in the page and in the tests, and what to notice.

export const example = () => `import { attentionWeights, causal } from "@qkv/attention";
import { show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const seed = slider("another text", { min: 1, max: 9, value: 1 });
const x = randn([1, 1, 8, 16], { seed }); // [B, H, T, D]
const weights = attentionWeights(x, x, { mask: causal() }); // [B, H, T, S]
show(attentionMap(weights));

// What the page says must hold.
for (let query = 0; query < 8; query++) {
  const row = weights.data.subarray(query * 8, (query + 1) * 8);
  const sum = row.reduce((total, weight) => total + weight, 0);
  if (Math.abs(sum - 1) > 1e-6) throw new Error("a row does not sum to 1");
}
`;

export const changes = () => `import type { Change } from "../src/live/change";

export default [
  {
    label: "Remove the mask",
    edits: [
      { find: "import { attentionWeights, causal }", replace: "import { attentionWeights }" },
      { find: "attentionWeights(x, x, { mask: causal() })", replace: "attentionWeights(x, x)" },
    ],
    says: "The rows still sum to 1, and no cell is hatched.",
    outcome: ({ readings }) => !readings.some((text) => text.endsWith("masked")),
  },
] satisfies readonly Change[];
`;

export const page = ({ kebab, title, words }) => `---
title: ${title}
slug: ${kebab}
hide_table_of_contents: true
description: One question about ${words}, and an example that answers it.
---

# ${title}: what would you like to know?

The answer, in two sentences, comes first.

<Predict>

Before you run: how much weight does each row have in total?

<Choice says="As many as the keys it sees.">

Not quite. Softmax divides by the sum of the row.

</Choice>
<Choice says="1, in every row." right>

Yes. Softmax makes the weights of a row sum to 1.

</Choice>

<Live example="${kebab}" />

</Predict>

## What to notice

- The weights of each row sum to 1, for every text.

## Limitations

- The case that this page does not show.

## Cost

Operations and bytes, with the letters B, H, T, S, D.

## Source

The paper or the question behind the page.

**Reference.** [\`attention\`](/api/@qkv/attention/#attention)
`;
