export * from "@qkv/viz/figures/caches-at-work";
