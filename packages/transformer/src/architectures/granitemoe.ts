import { stacked } from "../conversions/row-map.js";
import type { Architecture } from "./architecture.js";
import { gguf, type GgufArchitecture } from "./gguf/gguf-architecture.js";
import { ggufExperts, ggufSharedWidth, ggufTopKNormalization } from "./gguf/gguf-experts.js";
import { expertCounts, feedForwardOrExperts, type ExpertNames } from "./expert-parts.js";
import { ggufScales, granite } from "./granite.js";
import { llamaTensors } from "./llama-parts.js";
import { perExpert } from "./stored-tensor.js";

/** Experts of Granite MoE: one tensor per projection for all experts. */
export const graniteExperts: ExpertNames = {
  path: "block_sparse_moe",
  router: "router.layer",
  all({ numExperts, hiddenDim: F }, { embedDim: C }) {
    const paramPaths = (maps: readonly string[]) => (expert: number) =>
      maps.map((map) => `feedForward.experts.${expert}.${map}`);
    const path = "block_sparse_moe";
    return [
      perExpert(numExperts, paramPaths(["gate", "up"]), `${path}.input_linear.weight`, stacked([F, F]), C),
      perExpert(numExperts, paramPaths(["down"]), `${path}.output_linear.weight`, stacked([C]), F),
    ];
  },
};

/** llama.cpp's architecture for Granite MoE, with or without a shared expert. */
export const ggufGraniteMoe = (): readonly GgufArchitecture[] => [
  gguf("granitemoe", {
    freeHeads: true,
    ropeLayout: "interleaved",
    keys: [...ggufScales(), ggufExperts, ggufTopKNormalization(true), ggufSharedWidth()],
  }),
];

/** Granite 3 MoE: Granite with experts in all layers. */
export const graniteMoe: Architecture = {
  modelTypes: ["granitemoe"],
  class: "GraniteMoeForCausalLM",
  config: () => [...granite.config(), expertCounts("num_local_experts")],
  gguf: ggufGraniteMoe,
  tensors: (config, tied) => llamaTensors(config, tied, { feed: feedForwardOrExperts(graniteExperts) }),
};
