export * from "@qkv/transformer/training";
