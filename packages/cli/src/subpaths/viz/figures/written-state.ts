export * from "@qkv/viz/figures/written-state";
