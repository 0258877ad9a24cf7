import { stacked, type RowMap } from "../conversions/row-map.js";
import type { Architecture } from "./architecture.js";
import { gptjConfig, gptjIgnored, gptjTensors } from "./gptj.js";
import { fused } from "./stored-tensor.js";

/** Number of parts of the fused projection: CodeGen was trained with tensor parallelism over as many devices. */
const machines = 4;

/** Row map of the fused projection: queries, values and keys of a quarter of the heads, then those of the next quarter. */
function fusedByMachine(width: number): RowMap {
  const own = width / machines;
  return {
    ...stacked([width, width, width]),
    to(row) {
      const [machine, at] = [Math.floor(row / (3 * own)), row % (3 * own)];
      const part = [0, 2, 1][Math.floor(at / own)]!;
      return [part, machine * own + (at % own)];
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
        return numHeads % machines === 0 ? {} : fields.refuse("n_head", `a multiple of ${machines}`);
      },
      write: () => ({}),
    },
  ],
  tensors: (config, tied) =>
    gptjTensors(config, tied, [
      fused(
        ["attention.query", "attention.key", "attention.value"],
        "attn.qkv_proj",
        fusedByMachine(config.embedDim),
        config.embedDim,
      ),
    ]),
  ignored: gptjIgnored,
  ignoredTensors: /attn\.causal_mask$/,
};
