export * from "@qkv/transformer/patching";
