export * from "@qkv/transformer/export";
