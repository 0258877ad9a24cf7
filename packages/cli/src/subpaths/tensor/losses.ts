export * from "@qkv/tensor/losses";
