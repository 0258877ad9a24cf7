export * from "@qkv/transformer";
