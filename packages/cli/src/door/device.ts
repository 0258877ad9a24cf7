export * from "@qkv/device";
