export * from "@qkv/attention";
