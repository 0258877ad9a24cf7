export * from "@qkv/viz/elements";
