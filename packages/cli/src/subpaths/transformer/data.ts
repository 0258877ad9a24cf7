export * from "@qkv/transformer/data";
