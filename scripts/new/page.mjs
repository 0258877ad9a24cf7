// A new lesson: a question, an example that runs in the page and in the tests, and what to notice.

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

export const page = ({ kebab, title, words }) => `---
title: ${title}
slug: ${kebab}
hide_table_of_contents: true
description: One question about ${words}, and an example that answers it.
---

# ${title}: what would you like to know?

Ask one question here that a reader can answer by changing the example.

Before you run: how much weight does each row share out?

<Live example="${kebab}" />

**What to notice.** Each row shares out exactly 1, whatever the text is.

**Where it fails.** Say what this does not show. **Source.** Name what you read.
`;
