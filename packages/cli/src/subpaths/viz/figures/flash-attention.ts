export * from "@qkv/viz/figures/flash-attention";
