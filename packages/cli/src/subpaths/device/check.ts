export * from "@qkv/device/check";
