export * from "@qkv/webgpu";
