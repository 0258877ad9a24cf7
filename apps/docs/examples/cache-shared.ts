import {
  growingCache,
  mixedCache,
  rollingCache,
  sharedCache,
} from "@qkv/kv-cache";
import { check, print, show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const numLayers = slider("layers", { min: 2, max: 12, value: 8 });
const owners = slider("layers that store", { min: 1, max: 12, value: 4 });
const stored = Math.min(owners, numLayers);

// The first layers store their entries; the others read the last of them.
const reads = Array.from({ length: numLayers }, (_, layer) =>
  Math.min(layer, stored - 1),
);
const cache = sharedCache(growingCache({ numLayers: stored }), reads);
const each = growingCache({ numLayers });
const x = randn([1, 2, 100, 16], { seed: 1 }); // [B, Hkv, T, D]
for (let layer = 0; layer < numLayers; layer++) {
  each.update(layer, x, x);
  if (reads[layer] === layer) cache.update(layer, x, x);
  else cache.read(layer);
}
print("reads:", reads);
show(
  bars(
    { data: [each.bytes / 1024, cache.bytes / 1024], shape: [2] },
    {
      labels: ["one cache per layer", "shared"],
      unit: "KiB",
      title: "Bytes of all layers",
    },
  ),
);
check(
  "bytes are those of the layers that store",
  cache.bytes * numLayers === each.bytes * stored,
);

// Windows and full attention, each read by a later layer, as in Gemma 3n.
const local = rollingCache({ windowSize: 16 });
const hybrid = sharedCache(mixedCache([local, growingCache()]), [0, 1, 0, 1]);
for (const layer of [0, 1]) hybrid.update(layer, x, x);
check("four layers, two stores", hybrid.numLayers === 4);
