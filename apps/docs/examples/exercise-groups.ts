import { formats, kvCache, readConfig } from "@qkv/cost";
import { check, print } from "@qkv/page";

// How many key-value heads for 32 query heads?
const numKvHeads = 32;

const bytesWith = (kvHeads: number) => {
  const shape = readConfig({
    model_type: "llama",
    hidden_size: 4096,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: kvHeads,
    intermediate_size: 14336,
    vocab_size: 128256,
  });
  const call = { contextLength: 8192, batchSize: 4, format: formats.float16 };
  return kvCache(shape, call).bytes;
};
const room = 6e9; // bytes that are left beside the weights
const bytes = bytesWith(numKvHeads);
print((bytes / 1e9).toFixed(2), "GB for 4 users with 8,192 tokens each");

check("the caches of all four fit into 6 GB", bytes <= room);
check("all groups have the same number of query heads", 32 % numKvHeads === 0);
check(
  "twice as many key-value heads would not fit",
  bytes <= room && bytesWith(2 * numKvHeads) > room,
);
