import { machines, plan, quantized } from "@qkv/cost";
import { choice, print } from "@qkv/page";

const config = {
  model_type: "llama",
  hidden_size: 8192,
  num_hidden_layers: 80,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  intermediate_size: 28672,
  vocab_size: 128256,
  max_position_embeddings: 131072,
};
const sizes = Array.from({ length: 8 }, (_, i) => 10 ** i);
const users = choice("users at a time", sizes, { value: 1000 });
const request = {
  users,
  contextLength: 8192,
  tokensPerSecond: 20,
  machine: machines.h100,
};
const made = plan(config, request);
const { tensor, pipeline } = made.layout;
print("machines:", made.machines);
print("copies of the model:", made.replicas);
print("machines per copy:", `${tensor} × ${pipeline}`);
print("users per copy:", made.batchSize);
print("tokens per second and user:", made.tokensPerSecond.toFixed(1));
for (const assumption of made.assumptions) print("–", assumption);

const formats = {
  weights: quantized({ bits: 4 }),
  cache: quantized({ bits: 8 }),
};
const smaller = plan(config, { ...request, formats });
print("machines with 4-bit weights and 8-bit caches:", smaller.machines);
if (smaller.machines > made.machines)
  throw new Error("fewer bits need more machines");
if (made.tokensPerSecond < 20) throw new Error("slower than promised");
