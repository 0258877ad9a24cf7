export * from "@qkv/tensor/random";
