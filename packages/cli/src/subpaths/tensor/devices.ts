export * from "@qkv/tensor/devices";
