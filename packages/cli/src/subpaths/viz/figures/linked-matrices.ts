export * from "@qkv/viz/figures/linked-matrices";
