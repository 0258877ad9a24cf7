import {
  cost,
  estimate,
  kvCache,
  largestBatch,
  longestContext,
  machines,
  parameters,
  readConfig,
} from "@qkv/cost";
import { print, show, slider } from "@qkv/page";
import { bars } from "@qkv/viz";

// Paste any config.json here.
const config = {
  model_type: "llama",
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  intermediate_size: 14336,
  vocab_size: 128256,
};
const contextLength =
  2 ** slider("tokens, as a power of 2", { min: 8, max: 17, value: 13 });
const batchSize = slider("users at a time", { min: 1, max: 64, value: 8 });
const all = Object.values(machines);
const machine =
  all[
    slider("machine: tab, T4, L4, A10, A100, H100, H200, B200", {
      min: 0,
      max: 7,
      value: 4,
    })
  ];
if (!machine) throw new Error("no such machine");

const shape = readConfig(config);
const { total } = parameters(shape);
const cache = kvCache(shape, { contextLength, batchSize });
print(
  total,
  "parameters;",
  cache.bytesPerToken,
  "bytes of cache a token;",
  (cache.bytes / 1e9).toFixed(2),
  "GB for all",
);
const step = estimate(cost(shape, { batchSize, contextLength }), machine);
print(
  `${machine.name}: a token takes ${step.timeMs.toFixed(1)} ms or more, bound by ${step.boundBy}; ${step.tokensPerSecond.toFixed(0)} tokens/s for all`,
);
const { memoryBytes } = machine;
print(
  "it holds",
  longestContext(shape, { memoryBytes, batchSize }),
  "tokens of each of these users, or",
  largestBatch(shape, { memoryBytes, contextLength }),
  "users of so many tokens",
);

// The same model with other heads: what is kept of each token, and how it grows.
const heads = (numKvHeads: number) =>
  readConfig({ ...config, num_key_value_heads: numKvHeads });
const latent = {
  kv_lora_rank: 512,
  qk_rope_head_dim: 64,
  qk_nope_head_dim: 128,
  v_head_dim: 128,
};
const variants = {
  "multi-head": heads(32),
  "8 groups": heads(8),
  "multi-query": heads(1),
  latent: readConfig({ ...config, model_type: "deepseek_v2", ...latent }),
  "8 groups, window of 4096": readConfig({ ...config, sliding_window: 4096 }),
};
const gigabytes = Object.values(variants).map(
  (shape) => kvCache(shape, { contextLength, batchSize }).bytes / 1e9,
);
const labels = Object.keys(variants);
show(
  bars(
    { data: gigabytes, shape: [labels.length] },
    { labels, unit: "GB", title: "Cache of all users" },
  ),
);
const ms = Object.values(variants).map(
  (shape) =>
    estimate(cost(shape, { batchSize, contextLength }), machine).timeMs,
);
show(
  bars(
    { data: ms, shape: [labels.length] },
    { labels, unit: "ms", title: `One token on ${machine.name}, at the least` },
  ),
);

const [many = NaN, groups = NaN, one = NaN, row = NaN, window = NaN] =
  gigabytes;
if (many !== 4 * groups || groups !== 8 * one)
  throw new Error("not in proportion to heads");
// A latent row has 576 numbers, a group 256.
const near = (a: number, b: number) => Math.abs(a / b - 1) < 1e-9;
if (!near(row, one * (576 / 256)) || window > groups)
  throw new Error("not what the layers keep");
