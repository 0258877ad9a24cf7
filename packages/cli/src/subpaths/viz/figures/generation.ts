export * from "@qkv/viz/figures/generation";
