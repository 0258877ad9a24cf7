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
import { choice, print, show, slider } from "@qkv/page";
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
const lengths = Array.from({ length: 10 }, (_, i) => 256 * 2 ** i);
const contextLength = choice("tokens", lengths, { value: 8192 });
const batchSize = slider("users at a time", { min: 1, max: 64, value: 8 });
const all = Object.values(machines);
const names = all.map(({ name }) => name);
const chosen = choice("machine", names, { value: machines.a100.name });
const machine = all.find(({ name }) => name === chosen) ?? machines.a100;

const shape = readConfig(config);
const { total } = parameters(shape);
const cache = kvCache(shape, { contextLength, batchSize });
print(
  total,
  "parameters;",
  cache.bytesPerToken,
  "bytes of cache per token;",
  (cache.bytes / 1e9).toFixed(2),
  "GB of cache for all users",
);
const step = estimate(cost(shape, { batchSize, contextLength }), machine);
print(
  `${machine.name}: at least ${step.timeMs.toFixed(1)} ms per token, bound by ${step.boundBy}; ${step.tokensPerSecond.toFixed(0)} tokens/s for all users`,
);
const { memoryBytes } = machine;
print(
  "fits",
  longestContext(shape, { memoryBytes, batchSize }),
  "tokens per user, or",
  largestBatch(shape, { memoryBytes, contextLength }),
  "users at this length",
);

// The same model with different attention: how much it caches, and how that
// grows.
const heads = (numKvHeads: number) =>
  readConfig({ ...config, num_key_value_heads: numKvHeads });
const latent = {
  kv_lora_rank: 512,
  qk_rope_head_dim: 64,
  qk_nope_head_dim: 128,
  v_head_dim: 128,
};
const variants = {
  MHA: heads(32),
  "GQA, 8 groups": heads(8),
  MQA: heads(1),
  MLA: readConfig({ ...config, model_type: "deepseek_v2", ...latent }),
  "GQA, window of 4,096": readConfig({ ...config, sliding_window: 4096 }),
};
const gigabytes = Object.values(variants).map(
  (shape) => kvCache(shape, { contextLength, batchSize }).bytes / 1e9,
);
const labels = Object.keys(variants);
show(
  bars(
    { data: gigabytes, shape: [labels.length] },
    { labels, unit: "GB", title: "KV cache for all users" },
  ),
);
const ms = Object.values(variants).map(
  (shape) =>
    estimate(cost(shape, { batchSize, contextLength }), machine).timeMs,
);
show(
  bars(
    { data: ms, shape: [labels.length] },
    {
      labels,
      unit: "ms",
      title: `Lower bound for one token on ${machine.name}`,
    },
  ),
);

const [many = NaN, groups = NaN, one = NaN, row = NaN, window = NaN] =
  gigabytes;
if (many !== 4 * groups || groups !== 8 * one)
  throw new Error("the caches are not proportional to the heads");
// A latent row has 576 numbers; the key and value of one head have two head
// sizes.
const headSize = config.hidden_size / config.num_attention_heads;
const near = (a: number, b: number) => Math.abs(a / b - 1) < 1e-9;
if (!near(row, (one * 576) / (2 * headSize)) || window > groups)
  throw new Error("not the size that the layers cache");
