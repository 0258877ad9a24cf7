/** Loaders of image models by `model_type`, without the tables of their architectures, which are imported on demand. */
export const imageLoaders: Readonly<Record<string, "loadDualEncoder" | "loadVision">> = {
  vit: "loadVision",
  deit: "loadVision",
  dinov2: "loadVision",
  dinov2_with_registers: "loadVision",
  clip_vision_model: "loadVision",
  siglip_vision_model: "loadVision",
  clip: "loadDualEncoder",
  siglip: "loadDualEncoder",
};
