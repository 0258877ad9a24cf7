import {
  attention,
  attentionWeights,
  maxPoolPatches,
  patches,
} from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { randn, reshape, slice } from "@qkv/tensor";
import {
  patchIds,
  patchLengths,
  patchStarts,
  spacePatching,
} from "@qkv/tokenizer/patching";
import { attentionMap } from "@qkv/viz";

const text = "a byte is no token";
const lengths = patchLengths(patchStarts(text, spacePatching()), text.length);
const ids = patchIds(lengths); // patch of each byte
print("bytes of each patch:", lengths);

const bytes = randn([1, text.length, 8], { seed: 1 }); // [B, bytes, C]
const pooled = maxPoolPatches(bytes, ids); // [B, patches, C]: the first embedding of a patch
const [query, key] = [
  reshape(pooled, [1, 1, -1, 8]),
  reshape(bytes, [1, 1, -1, 8]),
];
const mask = patches(ids);
show(
  attentionMap(attentionWeights(query, key, { mask }), {
    rowLabels: lengths.map((_, patch) => `patch ${patch}`),
    columnLabels: [...text],
  }),
);

// A patch reads its own bytes, and no others.
const read = attention(query, key, key, { mask });
const [first, own] = [slice(query, 2, 0, 1), slice(key, 2, 0, lengths[0])];
check(
  "patch 0 reads what it would read if its bytes were alone",
  slice(read, 2, 0, 1).data.join() === attention(first, own, own).data.join(),
);
