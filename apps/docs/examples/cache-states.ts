import { growingCache, mixedCache, stateCache } from "@qkv/kv-cache";
import { check, print, show, slider } from "@qkv/page";
import { add, einsum, mul, randn, type Tensor } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const tokens = slider("tokens", { min: 8, max: 128, step: 8, value: 64 });
const checkpoints = slider("checkpoints", { min: 0, max: 8, value: 4 });
const drop = slider("tokens to drop", { min: 1, max: 10, value: 3 });

const states = stateCache({ checkpoints });
const keys = growingCache();
const cache = mixedCache([states, keys]);
// One step of linear attention: S ← 0.95 S + k vᵀ, [B, H, K, V].
const write = (held: Tensor | undefined, key: Tensor, value: Tensor) => {
  const outer = einsum("bhtk,bhtv->bhkv", key, value);
  return held ? add(mul(held, 0.95), outer) : outer;
};
for (let t = 0; t < tokens; t++) {
  const key = randn([1, 2, 1, 16], { seed: t }); // [B, H, 1, D]
  const value = randn([1, 2, 1, 16], { seed: 1000 + t });
  const state = write(cache.state(0)?.["state"], key, value);
  cache.advance(0, { state }, 1);
  cache.update(1, key, value);
}
const sizes = [states.bytes / 1024, keys.bytes / 1024];
show(
  bars(
    { data: sizes, shape: [2] },
    {
      labels: ["states", "keys and values"],
      unit: "KiB",
      title: "Bytes of one layer",
    },
  ),
);
check(
  "bytes are those of one state and its checkpoints",
  states.bytes === (1 + checkpoints) * 2 * 16 * 16 * 4,
);
try {
  cache.crop(-drop);
  print(`${drop} tokens dropped: both layers hold ${cache.length} tokens.`);
} catch (error) {
  print(String(error));
}
check(
  "both layers have the same length",
  states.length === keys.length && keys.length === cache.length,
);
