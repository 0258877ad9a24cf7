import { attention, causal } from "@qkv/attention";
import { growingCache, latentCache } from "@qkv/kv-cache";
import { check, print, show, slider } from "@qkv/page";
import { concat, einsum, randn, slice, sub } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const tokens = slider("tokens", { min: 8, max: 128, step: 8, value: 64 });
const r = slider("latent", { min: 8, max: 64, step: 8, value: 32 });
const [H, nope, rope, Dv] = [8, 16, 8, 16];

const latent = randn([1, 1, tokens, r], { seed: 1 }); // [B, 1, T, r]
const rotary = randn([1, 1, tokens, rope], { seed: 2 });
const toKey = randn([H, nope, r], { seed: 3 });
const toValue = randn([H, Dv, r], { seed: 4 });
const query = randn([1, H, 1, nope + rope], { seed: 5 });
const call = { mask: causal(), scale: 1 / Math.sqrt(nope + rope) };

// Naive: the keys and values of every head.
const made = einsum("bgtr,hnr->bhtn", latent, toKey);
const copies = concat(
  Array.from({ length: H }, () => rotary),
  1,
);
const key = concat([made, copies], 3);
const value = einsum("bgtr,hvr->bhtv", latent, toValue);
const heads = growingCache();
const naive = attention(query, heads.update(0, key, value), call);

// Absorbed: the query meets the latents themselves.
const latents = latentCache({ latentDim: r });
const held = latents.update(0, concat([latent, rotary], 3), latent);
const low = einsum("bhtn,hnr->bhtr", slice(query, 3, 0, nope), toKey);
const mixed = attention(concat([low, slice(query, 3, nope)], 3), held, call);
const absorbed = einsum("bhtr,hvr->bhtv", mixed, toValue);

show(
  bars(
    { data: [heads.bytes / 1024, latents.bytes / 1024], shape: [2] },
    { labels: ["keys and values", "latents"], unit: "KiB", title: "Bytes" },
  ),
);
const error = Math.max(...sub(naive, absorbed).data.map(Math.abs));
print("largest difference of the outputs:", error);
check("both forms give the same numbers", error < 1e-3);
check(
  "bytes are r + rope numbers a token",
  latents.bytes === tokens * (r + rope) * 4,
);
