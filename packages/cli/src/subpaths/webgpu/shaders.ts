export * from "@qkv/webgpu/shaders";
