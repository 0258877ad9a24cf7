import { attention, attentionWeights, causal } from "@qkv/attention";
import { choice, print, show } from "@qkv/page";
import { randn, slice, tensor } from "@qkv/tensor";
import { attentionMap, maskTiles } from "@qkv/viz";

const S = 12; // eleven tokens in the cache, and the new one
const align = choice("align the mask", ["top-left", "bottom-right"]);
const mask = causal({ align });

const x = randn([1, 1, S, 8], { seed: 3 }); // [B, H, S, D]
const value = tensor(
  Array.from({ length: S }, (_, s) => s),
  { shape: [1, 1, S, 1] },
); // the value of each token is its position
const whole = slice(attention(x, x, value, { mask: causal() }), 2, S - 1, S);

// Decoding: one query, the newest, over all keys.
const query = slice(x, 2, S - 1, S); // [1, 1, 1, D]
const weights = attentionWeights(query, x, { mask });
const step = attention(query, x, value, { mask });

show(attentionMap(weights, { title: "What the newest token sees", max: 1 }));
print("reading the whole text gives", whole.data[0]!.toFixed(4));
print("decoding with this mask gives", step.data[0]!.toFixed(4));
print(
  step.data[0] === whole.data[0]
    ? "The results are equal."
    : "The results differ, and there was no error: the query saw only the first token.",
);
const { sees } = causal().bind({ queryLength: S, keyLength: S });
show(
  maskTiles((q, k) => sees(q, k, 0, 0), S, {
    title: "The causal mask as the tiles of a kernel",
  }),
);

const trapped = align === "top-left";
if (
  trapped !== (step.data[0] === 0) ||
  trapped === (step.data[0] === whole.data[0])
)
  throw new Error("The results are not what this page says.");
