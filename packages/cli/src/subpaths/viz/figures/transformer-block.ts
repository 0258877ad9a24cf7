export * from "@qkv/viz/figures/transformer-block";
