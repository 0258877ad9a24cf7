import {
  and,
  attentionWeights,
  causal,
  mobaBlocks,
  selectedKeys,
} from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const topK = slider("blocks for each query", { min: 1, max: 5, value: 2 });
const blockSize = 4;
const query = randn([1, 1, 20, 8], { seed: 5 }); // [B, H, T, D]
const key = randn([1, 1, 20, 8], { seed: 6 });
const blocks = mobaBlocks(query, key, { blockSize, topK }); // [B, H, T, topK]
const mask = and(causal(), selectedKeys(blocks, blockSize));
const weights = attentionWeights(query, key, { mask });
show(attentionMap(weights));

const last = [...blocks.data.slice(19 * topK)];
print("blocks of the last query:", last);
check("its own block is among them", last.includes(4));
const read = weights.data.slice(19 * 20).filter((weight) => weight > 0).length;
print("keys that it reads:", read);
check("it reads 8 keys", read === 8);
