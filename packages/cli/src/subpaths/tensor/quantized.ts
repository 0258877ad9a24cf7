export * from "@qkv/tensor/quantized";
