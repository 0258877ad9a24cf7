export * from "@qkv/device/file-storage";
