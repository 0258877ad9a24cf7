export * from "@qkv/transformer/inspection";
