import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderParams } from "../../models/decoder.js";
import { ggufArchitectures, ggufMixtral, type GgufNames } from "../../checkpoints/gguf/gguf-names.js";
import { decoderHeadDim } from "../hugging-face-decoder.js";
import { huggingFaceDecoders } from "../hugging-face-decoders.js";
import { gpt2Tensors } from "../gpt2-family.js";
import { llamaTensors } from "../llama-family.js";
import { constraint, hasPlainExperts, type ArchitectureConstraints } from "../architecture-constraints.js";
import { concatenated, type TensorToWrite } from "../../architectures/tensor-to-write.js";
import { slidingPeriod } from "./sliding-period.js";

/** Conversion of a decoder to an architecture of llama.cpp. */
export type GgufDecoder = {
  readonly name: string;
  /** As in `general.architecture`. */
  readonly architecture: string;
  readonly names: GgufNames;
  readonly constraints: ArchitectureConstraints;
  /** True if the output matrix is always the embedding (tied). */
  readonly tied: boolean;
  /** The tensors, by their names in Hugging Face checkpoints. */
  tensors(config: DecoderConfig, params: DecoderParams): TensorToWrite[];
};

const { is, present } = constraint;

/** Layer types are not stored in these files, so the window must have no effect. */
const noEffectiveWindow: Required<ArchitectureConstraints>["layerTypes"] = {
  holds: (types, { window, contextLength }) => types === undefined || window! >= contextLength,
  expected:
    "no `window` below `contextLength` (say a shorter one), since llama.cpp would let these layers see all",
};
const periodicLayerTypes: Required<ArchitectureConstraints>["layerTypes"] = {
  holds: (types, { numLayers }) => slidingPeriod(types, numLayers) !== undefined,
  expected: "one full layer after every so many that slide",
};
/** The attention scale is not stored in these files, so it must be the one that llama.cpp computes. */
const attentionScaleFor = (largest: number): Required<ArchitectureConstraints>["attentionScale"] => ({
  holds(scale, config) {
    const D = decoderHeadDim(config);
    const llamaCppScale =
      config.numLayers === largest ? Math.floor(config.embedDim / config.numHeads) ** -0.5 : D ** -0.5;
    return Math.abs((scale ?? D ** -0.5) - llamaCppScale) <= 1e-6 * llamaCppScale;
  },
  expected: `what llama.cpp takes: 1 / √headDim (with ${largest} layers 1 / √(embedDim / numHeads))`,
});
type ScalingName = NonNullable<DecoderConfig["ropeScaling"]>["type"];
const supportedScalings = (...names: ScalingName[]): Required<ArchitectureConstraints>["ropeScaling"] => ({
  holds(scaling) {
    if (scaling?.type !== "yarn") return scaling === undefined || names.includes(scaling.type);
    const { betaFast = 32, betaSlow = 1, truncate = true } = scaling;
    return names.includes("yarn") && betaFast === 32 && betaSlow === 1 && truncate;
  },
  expected: `none, or one of ${names.join(", ")} (yarn with betas of 32 and 1, rounded)`,
});
const defaultHeadDim: Required<ArchitectureConstraints>["headDim"] = {
  holds: (headDim, { embedDim, numHeads }) => headDim === embedDim / numHeads,
  expected: "embedDim / numHeads",
};

const silu = {
  activation: is("silu"),
  layerTypes: noEffectiveWindow,
  ropeScaling: supportedScalings("linear", "yarn"),
} as const;
const gemma = { ...silu, activation: is("geluTanh") } as const;
const gpt2 = { activation: is("geluTanh"), layerTypes: noEffectiveWindow } as const;

/**
 * An architecture with the constraints of its Hugging Face architecture, and those of llama.cpp.
 *
 * @param name - The `model_type` of the Hugging Face architecture.
 */
function decoder(
  name: string,
  architecture: keyof typeof ggufArchitectures,
  ggufConstraints: ArchitectureConstraints,
  tensors: GgufDecoder["tensors"],
  { tied = false } = {},
): GgufDecoder {
  const { constraints } = huggingFaceDecoders.find((huggingFace) => huggingFace.name === name)!;
  const { names } = name === "mixtral" ? ggufMixtral : ggufArchitectures[architecture];
  return { name, architecture, names, constraints: { ...constraints, ...ggufConstraints }, tied, tensors };
}

const interleaved = { ropeLayout: "interleaved" } as const;
const mixtral = { ...interleaved, mixture: { path: "block_sparse_moe", names: ["w1", "w3", "w2"] } } as const;

/** The architectures that can be written. The first that fits a model is used. */
export const ggufDecoders: readonly GgufDecoder[] = [
  decoder("mixtral", "llama", silu, (config, params) => llamaTensors(config, params, mixtral)),
  decoder(
    "llama",
    "llama",
    { ...silu, ropeScaling: supportedScalings("linear", "yarn", "llama3", "longrope") },
    (config, params) => llamaTensors(config, params, interleaved),
  ),
  decoder("qwen2", "qwen2", { ...silu, headDim: defaultHeadDim }, llamaTensors),
  decoder(
    "qwen3_moe",
    "qwen3moe",
    {
      ...silu,
      experts: {
        holds: (experts) =>
          hasPlainExperts(experts) && experts!.normTopKProb! && !experts!.layers && !experts!.hiddenDim,
        expected: "experts in all layers, as wide as hiddenDim, whose shares sum to 1",
      },
    },
    llamaTensors,
  ),
  decoder("qwen3", "qwen3", silu, llamaTensors),
  decoder("gemma", "gemma", gemma, llamaTensors, { tied: true }),
  decoder(
    "gemma2",
    "gemma2",
    {
      ...gemma,
      layerTypes: periodicLayerTypes,
      attentionScale: attentionScaleFor(46),
      attentionSoftcap: present,
      logitSoftcap: present,
    },
    llamaTensors,
    { tied: true },
  ),
  decoder(
    "gemma3_text",
    "gemma3",
    {
      ...gemma,
      layerTypes: periodicLayerTypes,
      attentionScale: attentionScaleFor(62),
      attentionSoftcap: constraint.absent,
      bidirectional: { holds: (bidirectional) => bidirectional !== true, expected: "a causal model" },
    },
    llamaTensors,
  ),
  decoder(
    "phi3",
    "phi3",
    { ...silu, ropeScaling: supportedScalings("linear", "yarn", "longrope"), headDim: defaultHeadDim },
    (config, params) => llamaTensors(config, params, { fused: true }),
  ),
  decoder("gpt2", "gpt2", gpt2, (_config, params) => gpt2Tensors(params, concatenated)),
  decoder("gpt_bigcode", "starcoder", gpt2, (_config, params) => gpt2Tensors(params, concatenated)),
];
