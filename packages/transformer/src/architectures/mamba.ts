import type { Architecture } from "./architecture.js";
import { requireValue } from "./config-entry.js";
import type { GgufArchitecture } from "./gguf/gguf-architecture.js";
import type { MixerKeys } from "./gguf/gguf-layers.js";
import { ggufMambaTensors, mambaKeys, refuseOtherInnerWidth } from "./gguf/gguf-mamba.js";
import { ggufMixerStack } from "./gguf/gguf-mixer-stack.js";
import { plainNormMap } from "./norm-map.js";
import { mambaFields, mambaLayer, mambaNames, mambaTensors } from "./mamba-parts.js";
import { mixerConfig } from "./mixed-layers.js";
import { mixerStack, mixerStackTensors } from "./mixer-stack.js";

/** Ignored fields: initialization and kernels. */
export const mambaIgnoredFields =
  "residual_in_fp32 rescale_prenorm_residual time_step_min time_step_max time_step_floor time_step_scale time_step_init_scheme use_mambapy use_falcon_mambapy use_associative_scan";

/** Norms without gain of time step, B and C, for which llama.cpp has a key. They have the epsilon of the layer norms. */
const ggufKeys = (): MixerKeys => {
  const keys = mambaKeys((fields, { normEps = 1e-5 }) => {
    if (!fields.flag(normsKey, false)) return {};
    const norm = plainNormMap(normEps);
    return { inputs: { key: norm, query: norm }, rankMaps: { deltaTime: norm } };
  });
  return {
    read: keys.read,
    write: (mixer) => ({ ...keys.write(mixer), [normsKey]: mixer.rankMaps !== undefined }),
  };
};

const normsKey = "ssm.dt_b_c_rms";

/** llama.cpp's architecture for Mamba and Falcon Mamba. */
export const ggufMamba = (): readonly GgufArchitecture[] => [
  ggufMixerStack("mamba", ggufKeys(), (mixer) => ggufMambaTensors(mixer), { refuses: refuseOtherInnerWidth }),
];

/** Mamba: each layer is a selective scan mixer only. */
export const mamba: Architecture = {
  modelTypes: ["mamba"],
  class: "MambaForCausalLM",
  tied: true,
  config: () => [
    ...mixerStack(
      (fields, { embedDim = 1 }) => mambaLayer(fields, mambaNames, embedDim),
      (config) => mambaFields(mixerConfig(config), mambaNames),
    ),
    requireValue("hidden_act", "silu"),
  ],
  gguf: ggufMamba,
  tensors: (config, tied) => mixerStackTensors(config, tied, (mixer) => mambaTensors(mixer, "mixer")),
  ignored: mambaIgnoredFields,
};
