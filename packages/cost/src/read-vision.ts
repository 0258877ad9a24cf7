import type { Traits } from "./architectures.js";
import { configFields, type Config, type Fields } from "./config-fields.js";
import type { Layer, ModelShape, Stack } from "./model-shape.js";
import { readHeads } from "./read-attention.js";
import { readDense, readHidden } from "./read-feed-forward.js";

/** The image encoder of a configuration: patches, positions and layers. `createLayers` returns one object for equal layers. */
export function readVisionStack(
  fields: Fields,
  traits: Traits,
  createLayers: (count: number, make: () => Layer) => Layer[],
): Stack {
  const { size, sizeByName } = fields;
  const { classTokens = 1, patchBias = true, maskToken, layerScale, pooledNorm } = traits.vision!;
  const width = size("width");
  const patch = sizeByName("patch_size");
  const side = Math.floor(sizeByName("image_size") / patch);
  const registers = traits.vision!.registers
    ? sizeByName("num_register_tokens", traits.vision!.registers)
    : 0;
  const positions = side ** 2 + classTokens;
  if (side === 0) fields.refuse("patch_size", patch, "at most image_size");
  return {
    layers: createLayers(size("layers"), () => ({
      attention: readHeads(fields, traits, { kind: "all" }),
      feedForward: readDense(fields, traits, visionHidden(fields, traits)),
      norms: 2,
      ...(layerScale && { partScales: true }),
    })),
    tables: [{ name: "positions", rows: positions, width }],
    convolutions: [
      {
        kernel: patch * patch,
        inputs: sizeByName("num_channels"),
        outputs: width,
        stride: patch * patch,
        bias: patchBias,
      },
    ],
    embeddingNorm: traits.embeddingNorm,
    finalNorm: traits.finalNorm,
    rows: positions + registers,
    ...(pooledNorm && { pooledNorm }),
    ...(classTokens > 0 && { classTokens }),
    ...(registers > 0 && { registers }),
    ...(maskToken && fields.flag("use_mask_token", true) && { maskToken }),
  };
}

/** Hidden width. DINOv2 has a multiple of the model's width; in a gated layer two thirds of it, rounded up to a multiple of 8. */
function visionHidden(fields: Fields, traits: Traits): number {
  if (traits.mlpRatio === null) return readHidden(fields, traits);
  const ratio = fields.fraction(["mlp_ratio"], traits.mlpRatio);
  const wide = Math.floor(fields.size("width") * ratio);
  if (!(wide >= 1) || !Number.isSafeInteger(wide)) fields.refuse("mlp_ratio", ratio, "a number above 0");
  return fields.flag("use_swiglu_ffn", false) ? 8 * Math.floor((Math.floor((wide * 2) / 3) + 7) / 8) : wide;
}

type Projection = NonNullable<ModelShape["projection"]>;

/**
 * The configurations of both encoders of CLIP and SigLIP, and the projections of their vectors, `ofText` and `ofImages`.
 * `similarityNumbers` counts the learned numbers of the similarity: a logit scale, and in SigLIP a logit bias.
 */
export function readDualEncoder({ config, sizeByName, refuse }: Fields, type: string) {
  const encoderConfig = (name: "text_config" | "vision_config", model_type: string): Config => {
    const nested = config[name];
    if (typeof nested === "object" && nested !== null && !Array.isArray(nested))
      return { ...nested, model_type };
    return refuse(name, nested, "the configuration of this encoder");
  };
  const [text, vision] = [
    encoderConfig("text_config", `${type}_text_model`),
    encoderConfig("vision_config", `${type}_vision_model`),
  ];
  if (type === "clip") {
    const map: Projection = { outputs: sizeByName("projection_dim", 512), bias: false };
    return { text, vision, ofText: map, ofImages: map, similarityNumbers: 1 };
  }
  const textFields = configFields({ hidden_size: 768, ...text });
  const outputs = textFields.sizeByName("projection_size", textFields.size("width", 768));
  return { text, vision, ofText: { outputs, bias: true }, ofImages: undefined, similarityNumbers: 2 };
}
