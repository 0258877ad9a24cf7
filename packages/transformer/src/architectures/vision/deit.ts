import { activationField } from "../config-fields.js";
import type { VisionArchitecture } from "./vision-architecture.js";
import { visionIgnored, visionFields, visionSizes } from "./vision-parts.js";
import { poolerFields, vitTensors } from "./vit.js";

const withTeacher = "DeiTForImageClassificationWithTeacher";
const classes = { model: "DeiTModel", image: "DeiTForImageClassification" };

/** DeiT: ViT with a distillation token and a second head for it. */
export const deit: VisionArchitecture = {
  modelTypes: ["deit"],
  classes,
  barePath: "",
  prefixes: ["deit."],
  first: "embeddings.cls_token",
  read(fileFields) {
    const fields = fileFields.withDefaults({
      ...{ hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 },
      ...{ layer_norm_eps: 1e-12, image_size: 224, patch_size: 16, num_channels: 3 },
    });
    const hiddenDim = fields.count("intermediate_size");
    const config = { ...visionSizes(fields), hiddenDim, distillationToken: true };
    return { config, tensors: vitTensors(config) };
  },
  write: (config) => ({
    ...visionFields(config),
    ...{ qkv_bias: true, ...poolerFields(config) },
    ...(config.head?.task === "image" && {
      architectures: [config.head.distillation ? withTeacher : classes.image],
    }),
  }),
  heads: (path, fields) => ({
    pooler: { dense: `${path}pooler.dense`, activation: activationField(fields, "pooler_act", "tanh") },
    image:
      fields.list("architectures")?.[0] === withTeacher
        ? { output: "cls_classifier", distillation: "distillation_classifier" }
        : { output: "classifier" },
  }),
  ignored: [visionIgnored, "qkv_bias encoder_stride pooler_output_size"],
  ignoredTensors: /mask_token$|pooler\./,
};
