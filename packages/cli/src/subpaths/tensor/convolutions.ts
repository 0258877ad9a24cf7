export * from "@qkv/tensor/convolutions";
