export * from "@qkv/transformer/processors";
