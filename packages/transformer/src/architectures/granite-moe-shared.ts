import type { Architecture } from "./architecture.js";
import { expertCounts, expertsEntry } from "./expert-parts.js";
import { granite } from "./granite.js";
import { graniteFeed } from "./granite-moe-hybrid.js";
import { ggufGraniteMoe } from "./granitemoe.js";
import { llamaTensors } from "./llama-parts.js";

/** The shared expert; a width of 0 means none. */
const sharedExpert = /* @__PURE__ */ expertsEntry(
  (fields) => {
    const name = "shared_intermediate_size";
    return fields.number(name, 0) === 0 ? {} : { shared: { hiddenDim: fields.count(name) } };
  },
  ({ shared }) => ({ shared_intermediate_size: shared?.hiddenDim ?? 0 }),
);

/** Granite MoE with a shared expert. */
export const graniteMoeShared: Architecture = {
  modelTypes: ["granitemoeshared"],
  class: "GraniteMoeSharedForCausalLM",
  config: () => [...granite.config(), expertCounts("num_local_experts"), sharedExpert],
  gguf: ggufGraniteMoe,
  tensors: (config, tied) => llamaTensors(config, tied, { feed: graniteFeed }),
};
