export * from "@qkv/tensor/optimizers";
