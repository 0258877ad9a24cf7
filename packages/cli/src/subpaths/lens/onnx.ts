export * from "@qkv/lens/onnx";
