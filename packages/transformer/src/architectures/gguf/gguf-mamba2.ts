import type { MixerLayerConfig } from "@qkv/attention";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { ConfigFields } from "../config-fields.js";
import { mamba2Mixer, mamba2Tensors, type Mamba2Layout } from "../mamba2-parts.js";
import { reshaped, type StoredTensor } from "../stored-tensor.js";
import type { MixerKeys } from "./gguf-layers.js";
import { minusExp } from "./minus-exp.js";

/** The output norm of a mixer, which depends on the architecture and is not in the metadata. */
type OutputNorm = (
  groups: number,
  fields: ConfigFields,
  config: Partial<DecoderConfig>,
) => Pick<MixerLayerConfig, "outputNorm" | "gatePlace">;

/** Over all outputs if there is one group, as in llama.cpp; else over each group of heads that share a key. */
export const groupNorm: OutputNorm = (groups) => ({ outputNorm: groups === 1 ? "whole" : "group" });

/** Metadata of a Mamba-2 mixer. */
export const mamba2Keys = (norm: OutputNorm = groupNorm): MixerKeys => ({
  read(fields, config) {
    const { embedDim = 1, normEps = 1e-5 } = config;
    const heads = fields.count("ssm.time_step_rank");
    const groups = fields.count("ssm.group_count");
    const channels = fields.count("ssm.inner_size");
    if (channels % heads !== 0)
      return fields.refuse("ssm.inner_size", `a multiple of ssm.time_step_rank = ${heads}`);
    return mamba2Mixer({
      ...{ embedDim, normEps, heads, groups },
      state: fields.count("ssm.state_size"),
      headDim: channels / heads,
      taps: fields.count("ssm.conv_kernel"),
      deltaTime: undefined,
      ...norm(groups, fields, config),
    });
  },
  write: ({ numHeads, numKeyHeads, keyDim, valueDim = 1, convolution }) => ({
    "ssm.time_step_rank": numHeads,
    "ssm.group_count": numKeyHeads,
    "ssm.inner_size": numHeads * valueDim,
    "ssm.state_size": keyDim,
    "ssm.conv_kernel": convolution,
  }),
});

const names: Mamba2Layout = {
  input: "ssm_in",
  convolution: "ssm_conv1d",
  taps: (taps) => [taps],
  stepBias: "ssm_dt.bias",
  heads: (H) => [
    minusExp("A.value", "ssm_a", { stored: [H, 1], inParams: [H] }),
    reshaped("skip.weight", "ssm_d", { stored: [H, 1], inParams: [H] }),
  ],
  norm: (length, groups) =>
    reshaped("outputNorm.weight", "ssm_norm.weight", {
      stored: [groups, length / groups],
      inParams: [length],
    }),
  output: "ssm_out",
};

/** Tensors of a Mamba-2 mixer. */
export const ggufMamba2Tensors = (mixer: MixerLayerConfig, param = "attention"): StoredTensor =>
  mamba2Tensors(mixer, [param, ""], undefined, names);
