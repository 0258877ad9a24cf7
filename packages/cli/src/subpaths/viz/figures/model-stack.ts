export * from "@qkv/viz/figures/model-stack";
