export * from "@qkv/tensor/contracts";
