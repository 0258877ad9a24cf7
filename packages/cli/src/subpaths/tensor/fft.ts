export * from "@qkv/tensor/fft";
