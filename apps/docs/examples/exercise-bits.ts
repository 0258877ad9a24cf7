import {
  cost,
  estimate,
  formats,
  machines,
  quantized,
  readConfig,
} from "@qkv/cost";
import { check, print } from "@qkv/page";

const shape = readConfig({
  model_type: "llama",
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  intermediate_size: 14336,
  vocab_size: 128256,
});

// Change how the weights are stored: you can also use quantized({ bits }).
const weights = formats.float16;

const machine = machines.l4;
const call = { contextLength: 4096, formats: { weights } };
const step = estimate(cost(shape, call), machine);
print(
  weights.name,
  "on",
  `${machine.name}:`,
  step.timeMs.toFixed(1),
  "ms per token, bound by",
  step.boundBy,
);

check("a token takes at most 35 ms", step.timeMs <= 35);
check("the weights keep eight bits or more", weights.bytesPerNumber >= 1);
check("memory is still the bottleneck", step.boundBy === "memory");
