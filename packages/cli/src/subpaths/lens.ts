export * from "@qkv/lens";
