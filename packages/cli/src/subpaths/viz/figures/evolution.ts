export * from "@qkv/viz/figures/evolution";
