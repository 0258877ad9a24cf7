export * from "@qkv/transformer/adapters";
