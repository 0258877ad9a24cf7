export * from "@qkv/tensor/initializers";
