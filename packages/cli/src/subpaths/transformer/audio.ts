export * from "@qkv/transformer/audio";
