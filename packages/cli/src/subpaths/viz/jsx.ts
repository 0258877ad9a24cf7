export * from "@qkv/viz/jsx";
