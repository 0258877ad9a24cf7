export * from "@qkv/webgpu/attention";
