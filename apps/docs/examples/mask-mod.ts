import {
  and,
  attentionWeights,
  causal,
  defineMask,
  describe,
  maskMod,
  slidingWindow,
} from "@qkv/attention";
import { print, show } from "@qkv/page";
import { zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const x = zeros([1, 2, 9, 4]); // [B, H, T, D]: all scores are equal

// Any rule on batch, head, query and key is a mask.
const mask = and(
  causal(),
  maskMod((_batch, head, query, key) => head === 0 || (query - key) % 3 === 0, {
    name: "thirds",
  }),
);
print(mask.name);
show(attentionMap(attentionWeights(x, x, { mask })));

// A rule can also describe whole tiles, so that masked tiles are never read.
const near = (query: number, key: number) => key <= query && query - key < 64;
const byPair = maskMod((_b, _h, query, key) => near(query, key), {
  perBatch: false,
  perHead: false,
});
const byTile = defineMask({
  name: "near",
  sees: near,
  tile: (query, key) =>
    key.first > query.last || key.last <= query.first - 64 ? "none" : "some",
});
const extent = { queryLength: 512, keyLength: 512 };
const texts = [byPair, byTile, slidingWindow(64)].map(
  (one) => describe(one, extent).text,
);
if (texts.some((text) => text !== texts[0]))
  throw new Error("the two masks differ");
print(
  describe(byTile, extent).tiles,
  describe(slidingWindow(64), extent).tiles,
);
