export * from "@qkv/viz/figures/head-constructions";
