export * from "@qkv/kv-cache/past-key-values";
