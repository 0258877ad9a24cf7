export * from "@qkv/viz/figures";
