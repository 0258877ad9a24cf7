export * from "@qkv/kv-cache";
