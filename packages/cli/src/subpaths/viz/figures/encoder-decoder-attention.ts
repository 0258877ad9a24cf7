export * from "@qkv/viz/figures/encoder-decoder-attention";
