export * from "@qkv/viz/figures/attention-call";
