import type { Architecture } from "./architecture.js";
import { requireValue } from "./config-entry.js";
import { ggufMamba, mambaIgnoredFields } from "./mamba.js";
import { mambaFields, mambaLayer, mambaNames, mambaTensors } from "./mamba-parts.js";
import { mixerConfig } from "./mixed-layers.js";
import { mixerStack, mixerStackTensors } from "./mixer-stack.js";
import { plainNormMap, type NormMap } from "./norm-map.js";

/** Falcon Mamba: Mamba with norms without gain for time step, B and C. */
export const falconMamba: Architecture = {
  modelTypes: ["falcon_mamba"],
  class: "FalconMambaForCausalLM",
  tied: true,
  config: () => [
    ...mixerStack(
      (fields, { embedDim = 1 }) => {
        const norm = plainNormMap(fields.positive("mixer_rms_eps", 1e-6));
        const maps = { inputs: { key: norm, query: norm }, rankMaps: { deltaTime: norm } };
        return mambaLayer(fields, mambaNames, embedDim, maps);
      },
      (config) => {
        const mixer = mixerConfig(config);
        const norm = mixer?.rankMaps?.["deltaTime"] as NormMap | undefined;
        return { ...mambaFields(mixer, mambaNames), mixer_rms_eps: norm?.eps };
      },
    ),
    requireValue("hidden_act", "silu"),
  ],
  gguf: ggufMamba,
  tensors: (config, tied) => mixerStackTensors(config, tied, (mixer) => mambaTensors(mixer, "mixer")),
  ignored: mambaIgnoredFields,
};
