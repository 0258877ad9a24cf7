import { growingCache, pagedCache, rollingCache } from "@qkv/kv-cache";
import {
  fromPastKeyValues,
  toPastKeyValues,
} from "@qkv/kv-cache/past-key-values";
import { print, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";

const cache = growingCache({ numLayers: 2 });
for (const layer of [0, 1]) {
  const x = randn([1, 2, 10, 8], { seed: layer }); // [B, Hkv, T, D]
  cache.update(layer, x, x);
}
const file = cache.save(); // a safetensors file
print("saved:", file.length, "bytes for", cache.bytes, "bytes of tokens");

// A paged cache loads what another cache saved.
const pages = pagedCache({ numLayers: 2, pages: 4 });
pages.restore(file);
if (String(pages.save()) !== String(file))
  throw new Error("the two files differ");

// Flip one bit anywhere: the cache rejects the file and keeps its contents.
const at = slider("byte to damage", {
  min: 0,
  max: file.length - 1,
  value: 400,
});
const damaged = file.slice();
damaged[at] = (damaged[at] ?? 0) ^ 1;
const refused = (bytes: Uint8Array, into = pages) => {
  const before = into.length;
  try {
    into.restore(bytes);
  } catch (error) {
    if (into.length !== before) throw error;
    return String(error);
  }
  throw new Error("the damaged file was accepted");
};
print(refused(damaged));
print(refused(file.slice(0, -1)));
print(refused(rollingCache({ windowSize: 4 }).save()));

// Convert to past_key_values for another runtime, and back.
const past = toPastKeyValues(cache);
print(Object.keys(past), past["past_key_values.0.key"]?.dims);
const back = growingCache({ numLayers: 2 });
fromPastKeyValues(back, past);
if (String(back.save()) !== String(file))
  throw new Error("the conversion lost something");
