export * from "@qkv/viz/figures/heads-and-keys";
