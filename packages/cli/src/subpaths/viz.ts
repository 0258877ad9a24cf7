export * from "@qkv/viz";
