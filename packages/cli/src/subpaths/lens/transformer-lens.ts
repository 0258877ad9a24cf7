export * from "@qkv/lens/transformer-lens";
