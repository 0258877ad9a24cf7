import type { Architecture } from "./architecture.js";
import { without } from "./config-entry.js";
import type { GgufArchitecture } from "./gguf/gguf-architecture.js";
import type { MixerKeys } from "./gguf/gguf-layers.js";
import { ggufMambaTensors, mambaKeys, twiceAsManyChannels } from "./gguf/gguf-mamba.js";
import { ggufMixerStack } from "./gguf/gguf-mixer-stack.js";
import { plainNormMap } from "./norm-map.js";
import { mambaFields, mambaLayer, mambaNames, mambaTensors } from "./mamba-parts.js";
import { mixerOf } from "./mixed-layers.js";
import { mixerStack, mixerStackTensors } from "./mixer-stack.js";

/** Fields of how a stack of Mamba began, and of kernels. */
export const mambaIgnoredFields =
  "residual_in_fp32 rescale_prenorm_residual time_step_min time_step_max time_step_floor time_step_scale time_step_init_scheme use_mambapy use_falcon_mambapy use_associative_scan";

/** Norms without gains of what a scan reads, which a key of llama.cpp tells; they have the eps of the layers' norms. */
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

/** Mamba in llama.cpp, and Falcon Mamba. */
export const ggufMamba = (): readonly GgufArchitecture[] => [
  ggufMixerStack("mamba", ggufKeys(), (mixer) => ggufMambaTensors(mixer), { refuses: twiceAsManyChannels }),
];

/** Mamba: layers of a selective scan alone. */
export const mamba: Architecture = {
  modelTypes: ["mamba"],
  class: "MambaForCausalLM",
  tied: true,
  config: () => [
    ...mixerStack(
      (fields, { embedDim = 1 }) => mambaLayer(fields, mambaNames, embedDim),
      (config) => mambaFields(mixerOf(config), mambaNames),
    ),
    without("hidden_act", "silu"),
  ],
  gguf: ggufMamba,
  tensors: (config, tied) => mixerStackTensors(config, tied, (mixer) => mambaTensors(mixer, "mixer")),
  ignored: mambaIgnoredFields,
};
