export * from "@qkv/model-tiny/bytes";
