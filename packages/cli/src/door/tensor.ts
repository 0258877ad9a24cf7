export * from "@qkv/tensor";
