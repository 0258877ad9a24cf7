export * from "@qkv/tensor/safetensors";
