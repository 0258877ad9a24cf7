import type { Architecture } from "./architecture.js";
import { activation, rope, slidingLayers, type ConfigEntry } from "./config-entry.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { ropeScalingField } from "./rope-fields.js";

/** RoPE, and query temperature scaling in steps of the original context length. */
const ropeWithTemperature: ConfigEntry = {
  read(fields, config) {
    const parameters = fields.nested("rope_parameters") ?? fields.nested("rope_scaling");
    const attnScale = parameters?.numberOr(undefined, "llama_4_scaling_beta") ?? 0;
    parameters?.has("max_position_embeddings");
    return {
      ...rope({ base: 1e6 }).read(fields, config),
      ...(parameters &&
        attnScale !== 0 && {
          queryTemperature: {
            ...{ floorScale: parameters.count("original_max_position_embeddings"), attnScale },
            everywhere: true,
          },
        }),
    };
  },
  write: ({ ropeBase = 10000, ropeScaling, queryTemperature }) => ({
    rope_parameters: {
      rope_theta: ropeBase,
      ...(ropeScaling ? ropeScalingField(ropeScaling) : { rope_type: "default" }),
      ...(queryTemperature && {
        original_max_position_embeddings: queryTemperature.floorScale,
        llama_4_scaling_beta: queryTemperature.attnScale,
      }),
    },
  }),
};

/** Ministral 3: Mistral with query temperature scaling by position. */
export const ministral3: Architecture = {
  modelTypes: ["ministral3"],
  class: "Ministral3ForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    ropeWithTemperature,
    slidingLayers(() => "sliding"),
  ],
  tensors: (config, tied) => llamaTensors(config, tied),
  defaults: { head_dim: 128 },
};
