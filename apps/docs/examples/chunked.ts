import {
  and,
  attention,
  attentionWeights,
  causal,
  chunked,
  documents,
} from "@qkv/attention";
import { show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const x = randn([1, 1, 12, 8], { seed: 1 }); // [B, H, T, D]
const size = slider("chunk, in tokens", { min: 1, max: 12, value: 4 });
show(attentionMap(attentionWeights(x, x, { mask: chunked(size) })));

const by = (mask: ReturnType<typeof causal>) =>
  attention(x, x, x, { mask }).data.join();
const ids = Array.from({ length: 12 }, (_, i) => Math.floor(i / size));
if (by(chunked(size)) !== by(and(causal(), documents(ids))))
  throw new Error("chunks should equal documents of equal length");
if (by(chunked(12)) !== by(causal()))
  throw new Error("one chunk for the whole text should be causal");
if (by(chunked(1)) !== x.data.join())
  throw new Error("chunks of 1 should return the values");
