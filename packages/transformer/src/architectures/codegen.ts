import { stacked, type RowMap } from "../conversions/row-map.js";
import type { Architecture } from "./architecture.js";
import { gptjConfig, gptjIgnored, gptjTensors } from "./gptj.js";
import { fused } from "./stored-tensor.js";

/** Number of shards of the fused projection: CodeGen was trained with tensor parallelism over 4 TPU cores. */
const shards = 4;

/** Row map of the fused projection: queries, values and keys of a quarter of the heads, then those of the next quarter. */
function fusedByShard(width: number): RowMap {
  const shardWidth = width / shards;
  return {
    ...stacked([width, width, width]),
    to(row) {
      const [shard, at] = [Math.floor(row / (3 * shardWidth)), row % (3 * shardWidth)];
      const part = [0, 2, 1][Math.floor(at / shardWidth)]!;
      return [part, shard * shardWidth + (at % shardWidth)];
    },
  };
}

/** CodeGen: GPT-J with one matrix for queries, keys and values. */
export const codegen: Architecture = {
  modelTypes: ["codegen"],
  class: "CodeGenForCausalLM",
  config: () => [
    ...gptjConfig(),
    {
      read(fields, { numHeads = 1 }) {
        return numHeads % shards === 0 ? {} : fields.refuse("n_head", `a multiple of ${shards}`);
      },
      write: () => ({}),
    },
  ],
  tensors: (config, tied) =>
    gptjTensors(config, tied, [
      fused(
        ["attention.query", "attention.key", "attention.value"],
        "attn.qkv_proj",
        fusedByShard(config.embedDim),
        config.embedDim,
      ),
    ]),
  ignored: gptjIgnored,
  ignoredTensors: /attn\.causal_mask$/,
};
