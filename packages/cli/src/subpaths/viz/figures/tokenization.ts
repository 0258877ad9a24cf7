export * from "@qkv/viz/figures/tokenization";
