import { abc, attention, mix } from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import { randn, slice, softmax, transpose } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const slots = slider("slots", { min: 1, max: 8, value: 3 });
const [T, K] = [12, 4];
const [query, key, value] = [
  randn([1, 1, T, K], { seed: 1 }), // [B, H, T, K]
  randn([1, 1, T, K], { seed: 2 }),
  randn([1, 1, T, K], { seed: 3 }),
];
const slotLogits = randn([1, 1, T, slots], { seed: 4 }); // [B, H, T, M]
const { output, state } = mix(abc(), { query, key, value, slotLogits });

// The tokens in each slot, after the last one: softmax over tokens.
const held = softmax(transpose(slotLogits)); // [B, H, M, T]
show(
  attentionMap(held, {
    rowLabels: Array.from({ length: slots }, (_, slot) => `slot ${slot}`),
    columnLabels: Array.from({ length: T }, (_, token) => String(token)),
  }),
);
print(
  "numbers in the state:",
  state.slotKeys.data.length + state.slotValues.data.length,
);

// The last query attends to the slots as it would to so many tokens.
const last = attention(
  slice(query, 2, -1),
  transpose(state.slotKeys),
  state.slotValues,
);
const same = last.data.every(
  (x, i) => Math.abs(x - output.data[(T - 1) * K + i]!) < 1e-5,
);
check("the last output is softmax attention over the slots", same);
