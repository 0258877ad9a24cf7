import type { MixerLayerConfig } from "@qkv/attention";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { mixerConfig } from "../mixed-layers.js";
import { mambaMixer, mambaTensors, type MambaLayout } from "../mamba-parts.js";
import type { StoredTensor } from "../stored-tensor.js";
import type { GgufRefusal } from "./gguf-architecture.js";
import type { MixerKeys } from "./gguf-layers.js";
import { minusExp } from "./minus-exp.js";

/** Metadata of a Mamba mixer. `maps`: options of the inputs of its scan, which the sizes do not determine. */
export const mambaKeys = (
  maps: (...of: Parameters<MixerKeys["read"]>) => Pick<MixerLayerConfig, "inputs" | "rankMaps"> = () => ({}),
): MixerKeys => ({
  read: (fields, config) =>
    mambaMixer({
      embedDim: config.embedDim ?? 1,
      channels: fields.count("ssm.inner_size"),
      state: fields.count("ssm.state_size"),
      taps: fields.count("ssm.conv_kernel"),
      rank: fields.count("ssm.time_step_rank"),
      ...maps(fields, config),
    }),
  write: ({ numHeads, keyDim, convolution, ranks }) => ({
    "ssm.inner_size": numHeads,
    "ssm.state_size": keyDim,
    "ssm.conv_kernel": convolution,
    "ssm.time_step_rank": ranks?.["deltaTime"],
  }),
});

/** Refuses an inner width other than twice the model width. */
export function refuseOtherInnerWidth(config: DecoderConfig): GgufRefusal | undefined {
  const mixer = mixerConfig(config);
  const channels = mixer && mixer.numHeads * (mixer.valueDim ?? 1);
  if (channels === undefined || channels === 2 * config.embedDim) return undefined;
  return {
    argument: "config.layerTypes",
    received: `${channels} channels of a mixer`,
    expected: `2 · embedDim = ${2 * config.embedDim}`,
  };
}

const names: MambaLayout = {
  input: "ssm_in",
  convolution: "ssm_conv1d",
  taps: (D, taps) => [D, taps],
  step: "ssm_dt",
  scan: "ssm_x.weight",
  rate: (sizes) => minusExp("A.value", "ssm_a", { stored: sizes, inParams: sizes }),
  skip: "ssm_d",
  output: "ssm_out",
};

/** Tensors of a Mamba mixer. */
export const ggufMambaTensors = (mixer: MixerLayerConfig, more: readonly StoredTensor[] = []): StoredTensor =>
  mambaTensors(mixer, "", more, names);
