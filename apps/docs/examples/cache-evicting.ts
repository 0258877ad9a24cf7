import {
  attention,
  causal,
  expectedAttention,
  h2o,
  keyNorm,
  snapKV,
  tova,
} from "@qkv/attention";
import { evictingCache, growingCache } from "@qkv/kv-cache";
import { check, choice, print, show, slider } from "@qkv/page";
import { randn, slice } from "@qkv/tensor";
import { lines } from "@qkv/viz";

const scores = {
  h2o: () => h2o(),
  snapKV: () => snapKV({ window: 4, kernelSize: 3 }),
  tova: () => tova(),
  keyNorm: () => keyNorm(),
  expectedAttention: () => expectedAttention({ window: 4 }),
};
const names = Object.keys(scores) as (keyof typeof scores)[];
const name = choice("score", names);
const budget = slider("budget, in tokens", { min: 8, max: 64, value: 16 });

const tokens = 64;
const x = (seed: number) => randn([1, 2, tokens, 16], { seed }); // [B, H, T, D]
const [query, key, value] = [x(1), x(2), x(3)];
const cache = evictingCache({ budget, keepFirst: 2, score: scores[name]() });
const full = growingCache();
const errors: number[] = [];
for (let t = 0; t < tokens; t++) {
  const [q, k, v] = [query, key, value].map((all) => slice(all, 2, t, t + 1));
  if (!q || !k || !v) continue;
  const kept = attention(q, cache.update(0, k, v, q), { mask: causal() });
  const exact = attention(q, full.update(0, k, v), { mask: causal() }).data;
  errors.push(Math.max(...kept.data.map((n, i) => Math.abs(n - exact[i]!))));
}
show(
  lines(
    { data: errors, shape: [1, tokens] },
    { labels: [name], xLabel: "token", yLabel: "error of the output" },
  ),
);
const { positions } = cache.read(0);
print("tokens kept:", positions);
check("as many are kept as the budget says", cache.stored === budget);
check(
  "nothing differs before the first eviction",
  errors.slice(0, budget).every((error) => error === 0),
);
