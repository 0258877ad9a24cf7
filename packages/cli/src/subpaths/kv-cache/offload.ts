export * from "@qkv/kv-cache/offload";
